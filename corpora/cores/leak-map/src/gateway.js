'use strict';

const { catalog, config, metrics, recent, sessions, Router } = require('./platform');
const { cachedResponse, storeResponse } = require('./response-cache');

class Response {
  constructor(status, url, body) {
    this.status = status;
    this.url = url;
    this.headers = { 'content-type': 'application/json', 'x-served-by': config.service.instance };
    this.body = body;
    this.etag = `W/"${body.items.length}-${url.length}"`;
  }
}

class Gateway {
  constructor() {
    this.served = 0;
    this.router = new Router(config.routes);
  }

  handle(request) {
    const started = performance.now();
    const route = this.router.match(request.method, request.path);
    const session = sessions.get(request.user) ?? sessions.set(request.user, { user: request.user, since: this.served });
    session.last = request.path;
    const response = this.respond(request, route);
    recent.push({ url: request.url, status: response.status, route: route.name });
    metrics.observe(route.name, performance.now() - started);
    this.served++;
    return response;
  }

  respond(request, route) {
    const cached = cachedResponse(request.url);
    if (cached) return cached;
    const items = catalog.page(request.page, 6).map((product) => ({ sku: product.sku, price: product.price }));
    const response = new Response(200, request.url, { route: route.name, page: request.page, items });
    storeResponse(request.url, response);
    return response;
  }
}

module.exports = { Gateway, Response };
