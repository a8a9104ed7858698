// The cashier on a page without a framework: the tag stands in the markup, and may be defined before or after this
// runs.

const find = (id) => document.getElementById(id);
const cashier = document.querySelector("flexepin-cashier");
const blocks = find("blocks");

cashier.beforeSubmit = ({ reason }) => {
  find("asked").textContent += `${reason} `;
};
document.addEventListener("flexepin-redeemed", ({ detail }) => {
  find("heard").textContent += `${detail.code} ${detail.amountMinor} ${detail.currency} `;
});

let renders = 0;
find("again").addEventListener("click", () => {
  renders += 1;
  find("renders").textContent = renders;
});
find("currency").addEventListener("click", () => {
  cashier.setAttribute("currency", cashier.getAttribute("currency") === "EUR" ? "CAD" : "EUR");
});
find("theme").addEventListener("click", () => {
  cashier.theme = cashier.theme === "dark" ? "light" : "dark";
});
find("words").addEventListener("click", () => {
  cashier.messages = cashier.messages ? null : { title: "Cash here" };
});
find("move").addEventListener("click", () => blocks.append(blocks.firstElementChild));
find("toggle").addEventListener("click", () => (cashier.isConnected ? cashier.remove() : blocks.append(cashier)));
