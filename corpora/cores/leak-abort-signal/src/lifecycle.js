'use strict';

// Aborted when the service is told to stop: everything that runs then gives up.
const shutdown = new AbortController();

process.once('SIGTERM', () => shutdown.abort(new Error('shutting down')));

module.exports = { shutdown };
