import { Command } from 'commander'
import type { ManifestFile } from '../../weights/index.ts'
import { type InspectedFile, type InspectedFolder, type Inspection, inspectModel } from '../../weights/index.ts'
import { bold, dim, safe } from '../style.ts'
import { answer, onFiles } from './answer.ts'
import { sizeText } from './progress.ts'

/** `vouchsafe weights inspect IN`. */
export const inspectCommand = (): Command =>
  new Command('inspect')
    .description('what a model says of its encryption; no key is needed, and nothing is proved')
    .argument('<in>', 'the folder of a sealed model, or one model file')
    .option('--json', 'machine-readable')
    .exitOverride()
    .action(async (input: string, options: { readonly json?: boolean }) => {
      const outcome = await onFiles(() => inspectModel(input))
      answer(outcome, input, options.json === true, { asJson, asText: (inspection) => asText(input, inspection) })
    })

const asJson = (inspection: Inspection): object =>
  inspection.kind === 'file' ? inspection : { ...inspection, files: inspection.files.map(withoutKey) }

/** Wrapped keys are of no use to a reader. */
const withoutKey = ({ path, name, format, sizeBytes, digest }: ManifestFile) => ({
  path,
  name,
  format,
  sizeBytes,
  digest,
})

function asText(input: string, inspection: Inspection): string {
  const rows = inspection.kind === 'file' ? fileRows(inspection) : folderRows(inspection)
  return [bold(safe(input)), ...rows.map(([name, value]) => `  ${dim(name.padEnd(10))} ${safe(value)}`)].join('\n')
}

type Row = readonly [name: string, value: string]

function fileRows(file: InspectedFile): readonly Row[] {
  const tensors: Row = ['tensors', `${file.tensors}, ${sizeText(file.tensorBytes)}`]
  if (!file.sealed) return [['format', 'safetensors, not encrypted'], tensors]
  const sealed: Row = ['sealed', `${file.sealedTensors} of ${file.tensors}`]
  return [['format', `CryptoTensors ${file.version}`], tensors, sealed, ...claimRows(file)]
}

const folderRows = (folder: InspectedFolder): readonly Row[] => [
  ...folder.files.map((file): Row => ['file', `${file.name}  ${file.format}, ${sizeText(file.sizeBytes)}`]),
  ...claimRows(folder),
]

function claimRows({ keys, terms }: Pick<InspectedFolder, 'keys' | 'terms'>): readonly Row[] {
  const rows: Row[] = [
    ['key', `${keys.enc.kid ?? 'without a name'}, ${keys.enc.alg}`],
    ['signed by', `${keys.sign.kid ?? 'without a name'}, ${keys.sign.alg}; not checked, which takes the key`],
  ]
  if (terms.policyDigest !== undefined) rows.push(['policy', terms.policyDigest])
  if (terms.brokerUrl !== undefined) rows.push(['broker', terms.brokerUrl])
  return rows
}
