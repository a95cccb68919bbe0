'use strict';

const { settings } = require('./settings');

exports.openPanel = function openPanel(id) {
  const panel = { id, rate: 1 };
  settings.on('currency', (rate) => {
    panel.rate = rate;
  });
  return panel;
};
