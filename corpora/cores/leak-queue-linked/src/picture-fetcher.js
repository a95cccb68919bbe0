'use strict';

const { catalog, metrics } = require('./platform');
const { limitTo } = require('./limit');

const limit = limitTo(4);

class Picture {
  constructor(product, size) {
    this.sku = product.sku;
    this.size = size;
    this.url = `https://pictures.example/${product.sku}/${size}.webp`;
    this.attempts = [];
  }

  // The server accepts the connection and never answers.
  download() {
    this.attempts.push({ at: 0, timeout: null });
    return new Promise(() => {});
  }
}

class PictureFetcher {
  asked = 0;

  fetch(number) {
    const picture = new Picture(catalog.at(number), 100 + (number % 10) * 20);
    this.asked++;
    metrics.observe('picture', picture.size);
    return limit((one) => one.download(), picture);
  }
}

module.exports = { Picture, PictureFetcher };
