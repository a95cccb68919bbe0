'use strict';

class Mutex {
  #last = Promise.resolve();

  async runExclusive(work) {
    const before = this.#last;
    let release;
    this.#last = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    try {
      return await work();
    } finally {
      release();
    }
  }
}

module.exports = { Mutex };
