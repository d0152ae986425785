// The shapes that the charts take and hand around. Only types: nothing here runs.

/**
 * A place on the x axis: milliseconds, a number, or the name of a category.
 * @typedef {number | string} X
 *
 * One datum of a layer. Which fields it has follows from the layer's type. `text` is the exact value in words, for the crosshair,
 * the table and the CSV; without it the axis' own `yText` says the number that was drawn.
 * @typedef {object} Point
 * @property {X} x
 * @property {number | null} [y] null: a gap
 * @property {number} [low]
 * @property {number} [high]
 * @property {number} [open]
 * @property {number} [close]
 * @property {"total" | "minus" | "plus"} [kind] of a waterfall
 * @property {string} [text]
 * @property {string[]} [cells] of a candle or a band: its exact values, one for each column of the table
 * @property {string} [className]
 * @property {string} [title]
 * @property {"up" | "down" | "cross" | "dot"} [shape] of a mark
 *
 * @typedef {object} Layer
 * @property {"line" | "step" | "area" | "step_area" | "band" | "bars" | "candles" | "waterfall" | "rule" | "marks"} type
 * @property {Point[]} [data] ascending by x
 * @property {string} [name]
 * @property {string} [className]
 * @property {"left" | "right" | "below"} [axis]
 * @property {number} [y] of a rule
 * @property {string} [key] of a rule: tells it from others of the same name
 * @property {string} [text] of a rule: its value in words
 * @property {boolean} [fit] of a rule: the y axis always includes it
 * @property {number} [grain] of a rule that is dragged: the step of its values
 * @property {(y: number) => void} [onDrag] of a rule: called when it was dropped at y
 *
 * @typedef {object} ChartOptions
 * @property {string} label
 * @property {() => string} sentence
 * @property {"time" | "slots" | "number" | "category"} x `slots`: times, each as far from the next, as in a candle chart
 * @property {(x: any) => string} xText
 * @property {(y: number) => string} yText
 * @property {(y: number) => string} [rightText] as yText, of the right axis
 * @property {(y: number) => string} [belowText] as yText, of the strip below
 * @property {number} [height] css pixels
 * @property {boolean} [zero]
 * @property {string} [xName] the head of the x column in the table and the CSV
 * @property {string} [empty] what stands in a chart without data
 * @property {boolean} [legend] whether the names of the layers stand above
 * @property {{from: X, to: X}} [domain] what the x axis covers; without it, the data
 * @property {(range: {from: any, to: any}) => void} [onRange]
 * @property {(x: any) => void} [onPick]
 *
 * @typedef {object} Scale
 * @property {number} from
 * @property {number} to
 * @property {(value: number) => number} at the pixel of a value
 * @property {(pixel: number) => number} back the value of a pixel
 *
 * Where a layer is drawn: a pane's own coordinates, in css pixels.
 * @typedef {object} Place
 * @property {(x: X) => number} at
 * @property {Scale} y
 * @property {number} step pixels between neighbours on the x axis
 * @property {number} width
 * @property {number} height
 * @property {(y: number) => string} yText
 * @property {{key: string, y: number} | null} dragged the rule that is being dragged
 * @property {{base: number, left: number, right: number}[]} ruleNames where names of rules stand already
 *
 * What a type of layer can do.
 * @typedef {object} Kind
 * @property {boolean} [zero] its y axis includes 0
 * @property {(layer: Layer, data: Point[]) => number[]} extent values that the y axis must include
 * @property {(layer: Layer, data: Point[], place: Place) => SVGElement[]} draw
 * @property {(layer: Layer, point: Point, yText: (y: number) => string) => string} said a point's value in words
 * @property {string[]} [columns] keys of words: its columns in the table, where it has several
 * @property {(point: Point) => (number | string | undefined)[]} [cells] the values of those columns
 */

export {};
