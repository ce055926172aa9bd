'use strict';
// An S3 server (s3rver) on a free port of this machine, whose address is its first line of output.
//   node server.js MODULES DIRECTORY LATENCY_MS FAILING
// Each call takes LATENCY_MS more; every FAILING-th fails, in turn before it does anything (503, a broken
// connection) and after it did everything (a broken connection, of which the caller knows nothing).

const path = require('path');
const [modules, directory, latency, failing] = process.argv.slice(2);
const fs = require(path.join(modules, 'fs-extra'));
const S3rver = require(path.join(modules, 's3rver'));

const server = new S3rver({
  address: '127.0.0.1',
  port: 0,
  silent: true,
  allowMismatchedSignatures: true,
  directory,
  configureBuckets: [{ name: 'bucket' }],
});

// S3 replaces an object in one step; s3rver writes over it.
const store = server.store;
const written = store.putObject.bind(store);
let number = 0;
store.putObject = async object => {
  const key = `.put-${number++}`;
  const result = await written({ ...object, key });
  for (const part of ['metadata.json', 'object.md5', 'object']) {
    const to = store.getResourcePath(object.bucket, object.key, part);
    await fs.mkdirp(path.dirname(to));
    await fs.rename(store.getResourcePath(object.bucket, key, part), to);
  }
  return result;
};

let calls = 0;
let last = Promise.resolve();
server.middleware.unshift(async (ctx, next) => {
  const call = ++calls;
  await new Promise(wake => setTimeout(wake, Number(latency)));
  const kind = call % Number(failing) === 0 ? (call / Number(failing)) % 3 : -1;
  if (kind === 0) {
    ctx.status = 503;
    ctx.body = '';
    return;
  }
  if (kind === 1) {
    ctx.req.socket.destroy();
    return;
  }
  // One after another, until it is done and its response is sent: as if each were done in one step.
  const before = last;
  const sent = new Promise(done => ctx.res.once('close', done));
  let work;
  last = new Promise(done => (work = done)).then(() => sent);
  await before;
  try {
    await next();
  } finally {
    work();
  }
  if (kind === 2) {
    ctx.res.destroy();
  }
});
server.run().then(({ port }) => console.log(`http://127.0.0.1:${port}`));
process.stdin.resume().on('end', () => process.exit());
