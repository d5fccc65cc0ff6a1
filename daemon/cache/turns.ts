/** Runs tasks of one name one after another, and those of different names side by side. */
export type Turns = <T>(name: string, task: () => Promise<T>) => Promise<T>;

/** Starts with nobody waiting. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>();
  return (name, task) => {
    const turn = (last.get(name) ?? Promise.resolve()).then(task);
    const over = turn.then(ignore, ignore);
    last.set(name, over);
    return turn.finally(() => {
      if (last.get(name) === over) last.delete(name);
    });
  };
}

// The next one comes on whatever became of this one.
function ignore(): void {}
