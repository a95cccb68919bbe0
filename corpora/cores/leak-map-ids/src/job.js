'use strict';

class Job {
  constructor(id, kind, options, product) {
    this.id = id;
    this.kind = kind;
    this.options = options;
    this.sku = product.sku;
    this.state = 'waiting';
    this.result = null;
    this.log = [`${kind} for ${product.title}`];
  }

  run() {
    this.state = 'running';
    this.log.push(`scaled to ${this.options.width}`);
    this.result = { path: `/pictures/${this.sku}-${this.options.width}.webp`, bytes: this.options.width * 73 };
    this.state = 'done';
  }
}

module.exports = { Job };
