/** Whether a GPU has a confidential mode that an AMD or Intel guest can use. */
export type GpuStanding = 'confidential' | 'not-confidential' | 'unknown'

/**
 * Models as Akash names them. The list of those with a confidential mode is that of the boards whose attestation this project
 * judges (`attestation/nvidia/models.ts`; NVIDIA's confidential computing deployment guide). GH200 attests, but its CPU is
 * Arm's and offers neither SEV-SNP nor TDX, which are what `params.tee` stands for (AEP-83). A model that stands in neither
 * list is unknown, never guessed.
 */
const CONFIDENTIAL: ReadonlySet<string> = new Set(['h100', 'h200', 'h800', 'b200'])

/** Families before Hopper, and cards of later families without the mode, by the beginning of their names. */
const NOT_CONFIDENTIAL: readonly RegExp[] = [/^(rtx|gtx|gt|quadro|titan|geforce)/, /^(a|l|t|p|v|k|m)\d/, /^gh200/]
const EXCEPT = /^rtx-?pro-?6000/

/** Strips what Akash lets follow a model, so that `H100-SXM` and `h100` are one. */
const normal = (model: string): string =>
  model
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, '-')

/** What is known of a model, by its name in an order. */
export function standingOf(vendor: string, model: string): GpuStanding {
  if (vendor !== 'nvidia') return 'not-confidential'
  const name = normal(model)
  if (CONFIDENTIAL.has(name.replace(/(-(sxm\d?|pcie|nvl|\d+gb?))+$/, ''))) return 'confidential'
  return !EXCEPT.test(name) && NOT_CONFIDENTIAL.some((family) => family.test(name)) ? 'not-confidential' : 'unknown'
}

/** For people, in the order of the table. */
export const CONFIDENTIAL_MODELS: readonly string[] = [...CONFIDENTIAL]
