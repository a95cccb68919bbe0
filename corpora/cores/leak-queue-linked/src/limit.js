'use strict';

const { LinkedQueue } = require('./linked-queue');

// limitTo(4) makes a function that runs at most four of the functions given to it at a time.
function limitTo(concurrency) {
  const pending = new LinkedQueue();
  let active = 0;

  const next = () => {
    if (active >= concurrency || pending.size === 0) return;
    active++;
    pending.dequeue()();
  };

  return (work, ...args) =>
    new Promise((resolve) => {
      const start = async () => {
        const result = (async () => work(...args))();
        resolve(result);
        await result.catch(() => {});
        active--;
        next();
      };
      // The leak: no task ever ends, and none is refused.
      pending.enqueue(start);
      next();
    });
}

module.exports = { limitTo };
