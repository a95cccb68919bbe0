'use strict';

class Posting {
  constructor(product, position) {
    this.product = product.id;
    this.revision = product.revision;
    this.position = position;
  }
}

class SearchIndex {
  constructor(forgets) {
    this.forgets = forgets;
    this.current = new Map();
    this.postings = new Map();
  }

  get size() {
    return this.postings.size;
  }

  add(product) {
    if (this.forgets) this.remove(this.current.get(product.id));
    this.current.set(product.id, product);
    for (const [position, word] of product.text.split(' ').entries()) {
      this.postings.set(`${word}/${product.id}/${product.revision}`, new Posting(product, position));
    }
  }

  remove(product) {
    if (!product) return;
    for (const word of product.text.split(' ')) this.postings.delete(`${word}/${product.id}/${product.revision}`);
  }
}

module.exports = { SearchIndex };
