'use strict';

// Three isolates: the main thread has its own objects and is idle, each of two workers has its own class and is busy.
const { Worker } = require('worker_threads');

class InMain {
  constructor(id) {
    this.id = id;
  }
}

globalThis.kept = Array.from({ length: 1000 }, (_, id) => new InMain(id));

let online = 0;
for (const name of ['a', 'b']) {
  new Worker(require.resolve(`./worker-${name}`), { name: `worker-${name}` }).on('message', () => {
    if (++online === 2) console.log('ready');
  });
}
