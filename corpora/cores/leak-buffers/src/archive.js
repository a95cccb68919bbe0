'use strict';

class Archive {
  // Uploads that the storage has not confirmed. The leak: confirm() compares the user, which is never equal.
  unconfirmed = [];

  async keep(upload) {
    this.unconfirmed.push(upload);
    await null; // sent
    this.confirm(upload.name);
  }

  confirm(name) {
    this.unconfirmed = this.unconfirmed.filter((upload) => upload.user !== name);
  }
}

module.exports = { Archive };
