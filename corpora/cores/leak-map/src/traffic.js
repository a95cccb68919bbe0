'use strict';

// Requests as they come from the web, the same ones in every run.
const PATHS = ['/products', '/products/new', '/offers', '/search', '/brands', '/outlet'];

class Traffic {
  #state = 20_240_611;

  #random(below) {
    this.#state = (Math.imul(this.#state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (this.#state >> 8) % below;
  }

  next() {
    const path = PATHS[this.#random(PATHS.length)];
    const page = this.#random(600);
    const token = (this.#random(1 << 22) * 4096 + this.#random(4096)).toString(36);
    return { method: 'GET', path, page, user: `user-${this.#random(9000)}`, url: `${path}?page=${page}&fbclid=${token}` };
  }
}

module.exports = { Traffic };
