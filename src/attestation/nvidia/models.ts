/** A board as its report names it, and the model it is sold as. */
interface BoardRow {
  readonly project: string
  readonly projectSku: string
  readonly chipSku: string
  readonly model: string
  readonly formFactor: string
}

const board = (project: string, projectSku: string, chipSku: string, model: string, formFactor: string): BoardRow => ({
  project,
  projectSku,
  chipSku,
  model,
  formFactor,
})

/**
 * Boards whose three identifiers are known from NVIDIA's product briefs, or from `nvidia-smi -q` of such a machine, which
 * prints PROJECT and PROJECT_SKU as the image version of the InfoROM (`G520.0200`) and CHIP_SKU inside the GPU part number
 * (`2330-885-A1`). A board that is not here has no model: it is never guessed, since a lease may depend on it.
 */
export const BOARDS: readonly BoardRow[] = [
  board('1010', '0200', '882', 'H100', 'PCIe'),
  board('1010', '0210', '886', 'H100', 'NVL'),
  board('G520', '0200', '885', 'H100', 'SXM5'),
  board('G520', '0205', '865', 'H800', 'SXM5'),
  board('G520', '0280', '895', 'H200', 'SXM5'),
  board('G530', '0206', '888', 'GH200', 'superchip'),
  board('G525', '0220', '886', 'B200', 'SXM6'),
  board('G525', '0225', '886', 'B200', 'SXM6'),
]

/**
 * The model of a board, e.g. `H100`.
 * @returns undefined for a board that the table does not name
 */
export const modelOf = (of: {
  readonly project: string
  readonly projectSku: string
  readonly chipSku: string
}): string | undefined =>
  BOARDS.find((b) => b.project === of.project && b.projectSku === of.projectSku && b.chipSku === of.chipSku)?.model
