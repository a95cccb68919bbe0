'use strict';

const { catalog, metrics } = require('./platform');

// For "download again". What is wrong: 22 MB of text stay in memory until the next export.
let lastCsv = null;

class Export {
  constructor(name) {
    this.name = name;
    this.lines = 0;
  }

  run(count) {
    const lines = [];
    for (let n = 0; n < count; n++) {
      const product = catalog.at(n * 13);
      lines.push(`${n};2024-06-${String(1 + (n % 30)).padStart(2, '0')};${product.sku};${product.price.toFixed(2)};EUR;${product.tags[1]};open`);
    }
    this.lines = count;
    lastCsv = lines.join('\n');
    metrics.observe('export', lastCsv.length);
  }
}

module.exports = { Export, lastExport: () => lastCsv };
