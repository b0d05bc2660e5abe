// The Dash component of dashboards/site/plain_tree.py: draws a tree of HTML elements by React alone. Dash's own components
// keep books about each element of a page, for callbacks that a window does not have: ten times the work of drawing it.
(() => {
  const draw = (node) => {
    if (node === null || typeof node !== "object") return node;
    return React.createElement(node.tag, node.properties, ...[node.children].flat().map(draw));
  };

  // What live.js has written into a page is not React's: another address gets elements of its own.
  const PlainTree = ({ tree, address }) => React.createElement(React.Fragment, { key: address }, draw(tree));

  window.watchfloor = { PlainTree };
})();
