'use strict';

// Runs a few tasks at a time. The leak: nothing slows down those who add faster than tasks end.
class TaskQueue {
  #concurrency;
  #running = 0;
  #waiting = [];

  constructor({ concurrency }) {
    this.#concurrency = concurrency;
  }

  get size() {
    return this.#waiting.length;
  }

  add(run) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ run, resolve, reject });
      this.#next();
    });
  }

  #next() {
    if (this.#running >= this.#concurrency) return;
    const task = this.#waiting.shift();
    if (!task) return;
    this.#running++;
    Promise.resolve(task.run())
      .then(task.resolve, task.reject)
      .finally(() => {
        this.#running--;
        this.#next();
      });
  }
}

module.exports = { TaskQueue };
