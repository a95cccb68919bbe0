'use strict';

const path = require('path');

class PluginHost {
  constructor(name) {
    this.file = path.join(__dirname, 'plugins', `${name}.js`);
    this.plugin = null;
    this.reloads = 0;
  }

  // The leak: the module is taken out of require.cache, but Node also keeps it in this module's list of children.
  reload() {
    delete require.cache[this.file];
    this.plugin = require(this.file);
    this.reloads++;
  }
}

module.exports = { PluginHost };
