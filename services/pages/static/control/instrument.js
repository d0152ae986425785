// The chosen instrument: its facts, and the acts on it.

import { fill, h, say } from "../app/dom.js";
import { duration, grouped, number, stamp } from "../app/format.js";
import { get, watch } from "../app/store.js";
import { nameOf, t } from "../app/words.js";
import { actButton, outcomeLines } from "../operate/acts.js";
import { rate } from "../operate/fields.js";
import { phaseText } from "./board.js";
import { cancelAct } from "./cancel.js";
import { haltAct } from "./halt.js";
import { bandAct, collarAct, delistAct, phaseAct } from "./instrument_acts.js";
import { termsAct } from "./instrument_terms.js";
import { chosenInstrument, followChosen, stateOf } from "./market.js";

/** @param {import("../operate/access.js").Access} rights @returns {HTMLElement} */
export function instrumentPanel(rights) {
  const body = h("div", { class: "body" });
  let shown = "";
  watch(["instruments", "product"], () => {
    const instrument = chosenInstrument();
    if (!instrument || instrument.symbol === shown) return;
    shown = instrument.symbol;
    fill(body, build(instrument, rights));
  });
  watch(["instruments", "product", "phases", "auctions", "ticker", "acted"], () => update(body));
  setInterval(() => update(body), 1_000);
  followChosen();
  return body;
}

const outcomeOf = outcomeLines();

const FACTS = ["phase", "ends", "price", "volume", "imbalance", "last", "reference", "band", "collar", "volatility"];

/** @param {any} instrument @param {import("../operate/access.js").Access} rights */
function build(instrument, rights) {
  const { symbol } = instrument,
    outcome = outcomeOf(symbol);
  /** @type {(HTMLElement | false)[]} */
  const acts = rights.acts
    ? [
        h(
          "div",
          { class: "acts", data: { testid: "instrument-acts" } },
          actButton(t("halt.act"), "halt", outcome, haltAct({ isHalt: true, symbol }), { danger: true }),
          actButton(t("resume.act"), "resume", outcome, haltAct({ isHalt: false, symbol })),
          actButton(t("phase_act.act"), "set-phase", outcome, phaseAct(symbol)),
          actButton(t("collar.act"), "set-collar", outcome, collarAct(symbol)),
          actButton(t("band.act"), "set-band", outcome, bandAct(symbol)),
          actButton(t("terms.act"), "change-terms", outcome, termsAct(symbol)),
          actButton(t("cancel_orders.act"), "cancel-instrument", outcome, cancelAct({ symbol }), { danger: true }),
          actButton(t("delisting.act"), "delist", outcome, delistAct(symbol), { danger: true }),
        ),
        outcome,
      ]
    : [];
  return [
    h(
      "p",
      { class: "chosen", data: { testid: "chosen", symbol } },
      h("b", {}, symbol),
      " ",
      nameOf(instrument),
      " ",
      h("a", { href: `/ui/trade/${symbol}` }, t("nav.trade")),
    ),
    ...acts,
    h(
      "dl",
      { class: "facts-list" },
      FACTS.flatMap((name) => [h("dt", {}, t(`fact.${name}`)), h("dd", { data: { fact: name } })]),
    ),
  ];
}

/** @param {HTMLElement} body */
function update(body) {
  const instrument = chosenInstrument();
  if (!instrument) return;
  const { phase, auction_ends_at } = stateOf(instrument.symbol),
    isAuction = phase === "call_auction";
  const auction = isAuction ? get("auctions")?.get(instrument.symbol) : null,
    ticker = get("ticker") ?? get("tickers")?.get(instrument.symbol);
  const [change] = get("venue")?.next_changes ?? [];
  /** @type {Record<string, string>} */
  const values = {
    phase: phaseText(phase),
    ends: !isAuction
      ? "–"
      : auction_ends_at
        ? t("auction.ends", { left: duration(Date.parse(auction_ends_at) - Date.now()), time: stamp(auction_ends_at) })
        : get("venue")?.schedule === "always" || !change
          ? t("auction.by_hand")
          : t("auction.by_hand_until", { time: stamp(change.time) }),
    price: number(auction?.indicative_price),
    volume: number(auction?.indicative_volume),
    imbalance: number(auction?.indicative_imbalance),
    last: number(ticker?.last),
    reference: grouped(instrument.reference_price),
    band: `${grouped(instrument.lower_limit)} – ${grouped(instrument.upper_limit)}`,
    collar: rate(instrument.collar_rate),
    volatility:
      instrument.volatility_rate === null
        ? t("none")
        : t("band.value", { rate: rate(instrument.volatility_rate), seconds: instrument.auction_seconds }),
  };
  for (const name of FACTS) {
    const node = body.querySelector(`[data-fact="${name}"]`);
    if (node) say(node, values[name]);
  }
  const phaseNode = /** @type {HTMLElement | null} */ (body.querySelector('[data-fact="phase"]'));
  if (phaseNode) phaseNode.dataset.phase = phase;
  const [halt, resume, terms, delist] = ["halt", "resume", "change-terms", "delist"].map(
    (id) => /** @type {HTMLButtonElement | null} */ (body.querySelector(`[data-testid="${id}"]`)),
  );
  if (halt) halt.disabled = phase === "halted";
  if (resume) resume.disabled = phase !== "halted";
  if (terms) terms.disabled = phase === "delisted";
  if (delist) delist.disabled = phase === "delisted";
}
