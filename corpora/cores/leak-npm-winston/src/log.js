'use strict';

const winston = require('winston');

const logger = winston.createLogger({ level: 'info', format: winston.format.simple(), transports: [] });

module.exports = { logger };
