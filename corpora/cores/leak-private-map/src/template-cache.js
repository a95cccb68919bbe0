'use strict';

const { compile } = require('./template');

class TemplateCache {
  hits = 0;
  #compiled = new Map();

  // Templates by their text. The leak is the caller's: it puts the order's number into the text first.
  get(text) {
    let template = this.#compiled.get(text);
    if (template) {
      this.hits++;
    } else {
      template = compile(text);
      this.#compiled.set(text, template);
    }
    return template;
  }
}

const templates = new TemplateCache();

module.exports = { templates };
