'use strict';

const { catalog, metrics } = require('./platform');
const { logger } = require('./log');
const { RequestLog } = require('./request-log');

logger.setMaxListeners(0);

// The leak: the transport is added for one request and never removed from the logger of the process.
function handle(request) {
  logger.add(new RequestLog(request));
  const product = catalog.at(request.number);
  if (request.number % 400 === 0) logger.info(`${request.path}: ${product.sku}`);
  metrics.observe('checkout', product.price);
  return product.price;
}

module.exports = { handle };
