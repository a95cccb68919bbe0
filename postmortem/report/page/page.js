/* Makes the page more comfortable; without it everything is there, too. No network, no eval, no storage. */
'use strict';
(() => {
  const create = (name, words, parent) => {
    const element = document.createElement(name);
    if (words) element.textContent = words;
    if (parent) parent.append(element);
    return element;
  };
  const button = (words, parent, action) => {
    const element = create('button', words, parent);
    element.type = 'button';
    element.addEventListener('click', action);
    return element;
  };

  /* ---- commands to copy ---- */
  const copy = async (pre, element) => {
    let done = false;
    try {
      await navigator.clipboard.writeText(pre.textContent);
      done = true;
    } catch {
      const range = document.createRange();
      range.selectNodeContents(pre);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      done = document.execCommand('copy');
    }
    element.textContent = done ? 'copied' : 'selected';
    setTimeout(() => { element.textContent = 'copy'; }, 1500);
  };
  for (const line of document.querySelectorAll('.command')) {
    const pre = line.querySelector('pre');
    const element = button('copy', line, () => copy(pre, element));
    element.setAttribute('aria-label', 'copy the command ' + pre.textContent);
  }

  /* ---- tables: sort by a click on the column, filter ---- */
  const key = (row, column, numeric) => {
    const cell = row.cells[column];
    if (!numeric) return cell.textContent.toLowerCase();
    return cell.dataset.v === undefined ? -1 : Number(cell.dataset.v);
  };
  for (const table of document.querySelectorAll('table.sorts, table.filters')) {
    const rows = [...table.tBodies[0].rows];
    const order = new Map(rows.map((row, index) => [row, index]));
    const heads = [...table.tHead.rows[0].cells];
    if (table.classList.contains('sorts')) heads.forEach((head, column) => {
      const numeric = head.classList.contains('n');
      const words = head.textContent;
      head.textContent = '';
      button(words, head, () => {
        const before = head.getAttribute('aria-sort');
        for (const other of heads) other.removeAttribute('aria-sort');
        const first = numeric ? 'descending' : 'ascending', second = numeric ? 'ascending' : 'descending';
        const now = before === first ? second : before === second ? null : first; /* the third click: as it was */
        const sign = now === 'ascending' ? 1 : -1;
        if (now) head.setAttribute('aria-sort', now);
        const keys = new Map(rows.map(row => [row, key(row, column, numeric)]));
        rows.sort((a, b) => {
          const x = keys.get(a), y = keys.get(b);
          return (now ? sign * (x < y ? -1 : x > y ? 1 : 0) : 0) || order.get(a) - order.get(b);
        });
        table.tBodies[0].append(...rows);
      });
    });
    if (!table.classList.contains('filters') || rows.length < 8) continue;
    const tools = create('div');
    tools.className = 'tools';
    (table.closest('.wide') || table).before(tools);
    const label = create('label', 'Filter ', tools);
    const input = create('input', '', label);
    input.type = 'search';
    const count = create('span', '', tools);
    count.setAttribute('role', 'status');
    input.addEventListener('input', () => {
      const wanted = input.value.toLowerCase();
      let shown = 0;
      for (const row of rows) {
        const hidden = !row.textContent.toLowerCase().includes(wanted);
        row.classList.toggle('gone', hidden);
        if (!hidden) shown++;
      }
      count.textContent = wanted ? shown + ' of ' + rows.length : '';
    });
  }

  /* ---- what treemap and flame graph share: nodes, bread crumbs, keys ----
   * Each box is an <svg> with its number in data-i, its parent's in data-p and its value in data-v. */
  const readNodes = picture => {
    const nodes = [...picture.querySelectorAll('svg[data-i]')].map(element => ({
      element, parent: null, children: [], value: Number(element.dataset.v),
      name: element.querySelector('text').textContent, full: element.querySelector('title').textContent,
    }));
    const byNumber = new Map(nodes.map(node => [node.element.dataset.i, node]));
    for (const node of nodes) {
      node.parent = byNumber.get(node.element.dataset.p) || null;
      if (node.parent) node.parent.children.push(node);
    }
    return nodes;
  };

  const makeLive = (picture, draw) => {
    const nodes = readNodes(picture);
    if (!nodes.length) return;
    const root = nodes[0];
    let focus = root;
    const tools = create('div');
    tools.className = 'tools';
    picture.before(tools);
    const back = button('Back', tools, () => zoom(focus.parent || root));
    button('Reset', tools, () => { clear(); zoom(root); });
    const search = create('input', '', create('label', 'Search ', tools));
    search.type = 'search';
    const found = create('span', '', tools);
    found.setAttribute('role', 'status');
    const crumbs = create('div', '', tools);
    crumbs.className = 'crumbs';
    crumbs.setAttribute('aria-label', 'way to what is shown');

    const clear = () => { search.value = ''; look(); };
    const look = () => {
      const wanted = search.value.toLowerCase();
      let hits = 0, value = 0;
      for (const node of nodes) {
        node.hit = Boolean(wanted) && node.full.toLowerCase().includes(wanted);
        node.inside = Boolean(node.parent) && (node.parent.hit || node.parent.inside);
        node.element.classList.toggle('hit', node.hit);
        if (node.hit) hits++;
        if (node.hit && !node.inside) value += node.value; /* a part of a hit counts once */
      }
      found.textContent = wanted ? hits + ' found, ' + (root.value ? (value / root.value * 100).toFixed(1) : 0) + ' % in all' : '';
    };
    search.addEventListener('input', look);

    const zoom = (node, follow) => {
      focus = node;
      back.disabled = node === root;
      crumbs.textContent = '';
      for (let step = node; step; step = step.parent) {
        const target = step;
        const element = create('button', step.name);
        element.type = 'button';
        element.title = step.full;
        element.addEventListener('click', () => zoom(target));
        crumbs.prepend(element);
      }
      for (const other of nodes) other.element.setAttribute('tabindex', other === node ? '0' : '-1');
      draw(nodes, root, node);
      if (follow) node.element.focus();
    };

    picture.classList.add('live');
    picture.addEventListener('click', event => {
      const element = event.target.closest('svg[data-i]');
      const node = nodes.find(other => other.element === element);
      if (node) zoom(node.children.length || node === focus ? node : node.parent || node);
    });
    picture.addEventListener('keydown', event => {
      const node = nodes.find(other => other.element === document.activeElement);
      if (!node) return;
      const visible = list => list.filter(other => !other.element.classList.contains('gone'));
      const beside = visible(node.parent ? node.parent.children : [node]);
      const at = beside.indexOf(node);
      let next = null;
      if (event.key === 'ArrowRight') next = beside[at + 1];
      else if (event.key === 'ArrowLeft') next = beside[at - 1];
      else if (event.key === 'ArrowDown') next = visible(node.children)[0];
      else if (event.key === 'ArrowUp') next = node.parent;
      else if (event.key === 'Enter' || event.key === ' ') zoom(node, true);
      else if (event.key === 'Escape' || event.key === 'Backspace') zoom(focus.parent || root, true);
      else return;
      event.preventDefault();
      if (next && !next.element.classList.contains('gone')) next.element.focus();
    });
    for (const node of nodes) {
      node.element.setAttribute('role', 'button');
      node.element.setAttribute('aria-label', node.full);
      node.element.classList.toggle('zooms', node.children.length > 0);
    }
    zoom(root);
  };

  const place = (element, x, y, width, height) => {
    element.setAttribute('x', x + '%');
    element.setAttribute('width', width + '%');
    element.setAttribute('y', y);
    element.setAttribute('height', height);
  };

  /* ---- flame graph: the zoomed box as wide as the picture, its ancestors above it ---- */
  const drawFlame = (nodes, root, focus) => {
    const left = node => Number(node.element.dataset.x), width = node => Number(node.element.dataset.w);
    const ancestors = new Set();
    for (let step = focus.parent; step; step = step.parent) ancestors.add(step);
    const from = left(focus), all = width(focus) || 1;
    for (const node of nodes) {
      let shown = ancestors.has(node), x = 0, wide = 100;
      if (!shown) {
        node.below = node === focus || Boolean(node.parent && node.parent.below);
        x = (left(node) - from) / all * 100;
        wide = width(node) / all * 100;
        shown = node.below && wide > 0.02;
      } else {
        node.below = false;
      }
      node.element.classList.toggle('gone', !shown);
      if (!shown) continue;
      node.element.setAttribute('x', x + '%');
      node.element.setAttribute('width', wide + '%');
    }
  };

  /* ---- treemap: squarified (Bruls, Huizing, van Wijk), three levels below the zoomed one ---- */
  const worst = (row, sum, side, scale) => {
    const area = sum * scale, most = row[0].value * scale, least = row[row.length - 1].value * scale;
    return Math.max(side * side * most / (area * area), area * area / (side * side * least));
  };
  const squarify = (children, x, y, width, height, put) => {
    const list = children.filter(node => node.value > 0).sort((a, b) => b.value - a.value);
    let total = list.reduce((sum, node) => sum + node.value, 0), at = 0;
    while (at < list.length && width > 0.5 && height > 0.5) {
      const side = Math.min(width, height), scale = width * height / total;
      const row = [];
      let sum = 0;
      while (at < list.length) {
        const more = row.concat([list[at]]);
        if (row.length && worst(more, sum + list[at].value, side, scale) > worst(row, sum, side, scale)) break;
        row.push(list[at]);
        sum += list[at++].value;
      }
      const thick = sum * scale / side;
      let along = 0;
      for (const node of row) {
        const long = node.value * scale / thick;
        if (width >= height) put(node, x, y + along, thick, long);
        else put(node, x + along, y, long, thick);
        along += long;
      }
      if (width >= height) { x += thick; width -= thick; } else { y += thick; height -= thick; }
      total -= sum;
    }
  };
  const drawTree = picture => (nodes, root, focus) => {
    const box = picture.getBoundingClientRect();
    const wide = box.width || 1000, high = Number(picture.getAttribute('height'));
    for (const node of nodes) node.element.classList.add('gone');
    const put = depth => (node, x, y, width, height) => {
      if (width < 2 || height < 2) return;
      node.element.classList.remove('gone');
      node.element.classList.toggle('parent', node.children.length > 0 && depth < 3);
      place(node.element, x / wide * 100, y, width / wide * 100, height);
      if (depth < 3 && width > 20 && height > 36)
        squarify(node.children, x + 3, y + 19, width - 6, height - 22, put(depth + 1));
    };
    put(0)(focus, 0, 0, wide, high);
  };

  for (const picture of document.querySelectorAll('svg.flame')) makeLive(picture, drawFlame);
  for (const picture of document.querySelectorAll('svg.tree')) makeLive(picture, drawTree(picture));
})();
