'use strict';

const { catalog, metrics, recent } = require('./platform');
const { sign } = require('./signing-key');

class LinkService {
  linkTo(number) {
    const link = sign(`/products/${catalog.at(number).sku}`);
    recent.push(link);
    metrics.observe('link', link.length);
    return link;
  }
}

module.exports = { LinkService };
