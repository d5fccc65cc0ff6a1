// A mirror on port 80 of a machine of its own: any path is a package, and each request is a line.
import { createServer } from 'node:http';

const server = createServer(({ method, url, socket }, response) => {
  console.log(`${method} ${url} from ${socket.remoteAddress?.replace('::ffff:', '')}`);
  response.setHeader('Last-Modified', 'Wed, 01 Jan 2025 00:00:00 GMT');
  response.end(`the package ${url}`);
});
server.listen(80, '::', () => console.log('listening'));
