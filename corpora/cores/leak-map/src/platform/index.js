'use strict';

// What every service of the shop has around its own work. All of it is bounded.
const config = require('./config');
const { Catalog } = require('./catalog');
const { Lru } = require('./lru');
const { Metrics } = require('./metrics');
const { Ring } = require('./ring');
const { Router } = require('./router');

const catalog = new Catalog(config.catalog.products);
const metrics = new Metrics(config.metrics.flushMs);
const recent = new Ring(config.log.recent);
const sessions = new Lru(config.sessions.limit);

module.exports = { catalog, config, metrics, recent, sessions, Lru, Ring, Router };
