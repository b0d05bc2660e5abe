// Making and keeping SVG elements.
const NAMESPACE = "http://www.w3.org/2000/svg";

export function make(name, attributes = {}, children = []) {
  const element = document.createElementNS(NAMESPACE, name);
  set(element, attributes);
  element.append(...children);
  return element;
}

export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
}

// The children of a group brought up to a list: kept by key, made when new, removed when gone, in the list's order.
export function keep(group, items, keyOf, create, update) {
  group.kept ??= new Map();
  const gone = new Map(group.kept);
  items.forEach((item, index) => {
    const key = keyOf(item);
    let element = gone.get(key);
    if (element) gone.delete(key);
    else group.kept.set(key, (element = create(item)));
    if (group.children[index] !== element) group.insertBefore(element, group.children[index] ?? null);
    update(element, item);
  });
  for (const [key, element] of gone) {
    element.remove();
    group.kept.delete(key);
  }
}

// A paint is #rrggbb or the name of a CSS variable.
export const paint = (name) => (name.startsWith("--") ? `var(${name})` : name);
