'use strict';

const BRANDS = ['Adler', 'Birke', 'Celio', 'Dorn', 'Elster', 'Fink', 'Gams', 'Habicht'];

class Product {
  constructor(id) {
    this.sku = `SKU-${String(id).padStart(6, '0')}`;
    this.title = `${BRANDS[id % BRANDS.length]} article ${id}`;
    this.price = 9.9 + (id % 900) / 10;
    this.stock = { warehouse: id % 5, pieces: (id * 7) % 60 };
    this.tags = [`brand:${BRANDS[id % BRANDS.length]}`, id % 3 ? 'regular' : 'sale'];
  }
}

// The products of the shop: as many as there are, no more.
class Catalog {
  #bySku = new Map();
  #all;

  constructor(count) {
    this.#all = Array.from({ length: count }, (_, id) => new Product(id));
    for (const product of this.#all) this.#bySku.set(product.sku, product);
  }

  get size() {
    return this.#all.length;
  }

  at(index) {
    return this.#all[index % this.#all.length];
  }

  find(sku) {
    return this.#bySku.get(sku);
  }

  page(number, length) {
    const from = (number * length) % this.#all.length;
    return this.#all.slice(from, from + length);
  }
}

module.exports = { Catalog, Product };
