'use strict';

// Entries live for a time; the oldest go first. Times count requests here, so that every run is the same.
class TtlCache {
  #entries = new Map();

  constructor({ ttl, maxEntries }) {
    this.ttl = ttl;
    this.maxEntries = maxEntries;
  }

  get size() {
    return this.#entries.size;
  }

  set(key, value, now) {
    this.#entries.delete(key);
    this.#entries.set(key, { value, expires: now + this.ttl });
    for (const [oldest, { expires }] of this.#entries) {
      if (expires > now && this.#entries.size <= this.maxEntries) break;
      this.#entries.delete(oldest);
    }
  }

  get(key, now) {
    const entry = this.#entries.get(key);
    return entry && entry.expires > now ? entry.value : undefined;
  }
}

module.exports = { TtlCache };
