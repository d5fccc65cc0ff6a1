const hooks =
  'import { registerHooks } from "node:module"; registerHooks({ resolve: (name, context, next) => {' +
  ' if (name === "koffi") throw new Error("not installed"); return next(name, context); } })';

/** Options of Node under which koffi is not installed. */
export const withoutKoffi: readonly string[] = [
  '--import',
  `data:text/javascript,${encodeURIComponent(hooks)}`,
];
