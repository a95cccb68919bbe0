'use strict';

const { catalog, config, metrics, recent, sessions, Router } = require('./platform');
const { accessLog, baskets, pages, thumbnails } = require('./caches');

class Basket {
  constructor(user, products) {
    this.user = user;
    this.lines = products.map((product) => ({ sku: product.sku, price: product.price, pieces: 1 }));
    this.changed = false;
  }
}

class Server {
  constructor() {
    this.served = 0;
    this.router = new Router(config.routes);
    this.shelves = Array.from({ length: 300 }, (_, i) => catalog.page(i, 12).map((product) => product.sku));
  }

  handle(number) {
    this.served++;
    const user = `user-${(number * 37) % 20_000}`;
    const url = `/products?page=${(number * 13) % 30_000}`;
    const page = pages.get(url) ?? pages.set(url, this.render(url, number));
    if (number % 20 === 0) this.thumbnail((number / 20) % 3_000);
    if (number % 3 === 0) baskets.set(user, new Basket(user, catalog.page(number, 4)), number);
    sessions.set(user, { user, since: number, basket: baskets.get(user, number) });
    accessLog.push({ user, url, bytes: page.length, number });
    recent.push(url);
    metrics.observe(this.router.match('GET', '/products').name, page.length);
    return page.length;
  }

  render(url, number) {
    const rows = catalog.page(number, 80).map((product) => `<li><a href="/products/${product.sku}">${product.title}</a> ${product.price.toFixed(2)} EUR ${product.tags.join(' ')}</li>`);
    return Buffer.from(`<html><title>${url}</title><ul>${rows.join('')}</ul></html>`).toString('latin1');
  }

  thumbnail(id) {
    return thumbnails.get(id) ?? thumbnails.set(id, Buffer.alloc(64 * 1024, id & 0xff));
  }
}

module.exports = { Basket, Server };
