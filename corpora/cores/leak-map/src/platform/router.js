'use strict';

const NOT_FOUND = Object.freeze({ name: 'not-found', method: '*', pattern: /$^/ });

class Router {
  constructor(routes) {
    this.routes = routes.map((route) => ({ ...route, test: (method, path) => route.method === method && route.pattern.test(path) }));
  }

  match(method, path) {
    return this.routes.find((route) => route.test(method, path)) ?? NOT_FOUND;
  }
}

module.exports = { Router };
