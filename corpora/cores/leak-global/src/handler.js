'use strict';

const { catalog, config, metrics, recent, Router } = require('./platform');

const router = new Router(config.routes);

function handle(request) {
  const route = router.match(request.method, request.path);
  const items = catalog.page(request.number, 3).map((product) => ({ sku: product.sku, stock: product.stock.pieces }));
  const answer = { status: 200, route: route.name, items };
  logRequest(request, answer);
  recent.push(route.name);
  metrics.observe(route.name, items.length);
  return answer;
}

module.exports = { handle };
