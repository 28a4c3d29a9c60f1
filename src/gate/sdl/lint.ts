import { isJsonObject, type Json, type JsonObject, pointer } from '../../core/json.ts'
import { type Fault, type Finding, fault, finding, printable } from '../../core/outcome.ts'
import { entriesOf, placementsOf, type SdlPlacement, Shape } from './document.ts'
import { CONFIDENTIAL_MODELS, standingOf } from './gpu-models.ts'
import { secretValue, secretVariable, shownName, shownWord } from './secrets.ts'
import { parseYaml } from './yaml.ts'

/** One service of an order, as far as a gate cares. */
export interface SdlService {
  readonly name: string
  /** undefined where it asks for none, or for one that does not exist */
  readonly tee: 'cpu' | 'cpu-gpu' | undefined
  /** `params.tee`, or `params.tee.type` as a page of Akash's documentation once showed it */
  readonly teeForm: 'params.tee' | 'params.tee.type' | undefined
  readonly image: string | undefined
  readonly placements: readonly {
    readonly placement: string
    readonly profile: string
    readonly gpuUnits: number
    readonly gpuModels: readonly string[]
  }[]
}

export interface SdlLint {
  /** everything that was found, in the order of the document; `item` names the service, or `order` */
  readonly findings: readonly Finding[]
  readonly services: readonly SdlService[]
}

/**
 * Looks through an order (Akash SDL) for what makes a confidential deployment pointless, before it is broadcast: its manifest
 * reaches the winner in clear, before anything is attested. No finding means that nothing of the kind was found, not that a
 * provider keeps to it. Values of variables, arguments and credentials never appear in a finding.
 * Findings: SDL_UNREADABLE · SDL_SHAPE_INVALID · SDL_TEE_MISSING · SDL_TEE_UNKNOWN · SDL_TEE_MIXED · SDL_ATTESTATION_OFF ·
 * SDL_GPU_MISSING · SDL_GPU_OUTSIDE_TEE · SDL_GPU_MODEL_MISSING · SDL_GPU_MODEL_NOT_CONFIDENTIAL · SDL_GPU_MODEL_UNKNOWN ·
 * SDL_SECRET_IN_CLEAR · SDL_CREDENTIALS_IN_CLEAR · SDL_IMAGE_NOT_PINNED
 * @param text the SDL file, at most 64 KiB
 * @see ../shared/spec/akash.md §1; GATE §5
 */
export async function lintSdl(text: string): Promise<SdlLint> {
  const parsed = await parseYaml(text)
  if (!parsed.ok) return { findings: parsed.faults.map((f) => finding(f, ORDER)), services: [] }
  const shape = new Shape()
  const document = shape.object(parsed.value, '')
  if (document === undefined) return { findings: shape.faults.map((f) => finding(f, ORDER)), services: [] }
  const entries = entriesOf(shape, document, 'services', '')
  const placements = placementsOf(shape, document, new Set(entries.map(([name]) => name)))
  const findings = shape.faults.map((f) => finding(f, ORDER))
  const services = entries.map(([name, value]) => {
    const found = lintService(name, value, placements.get(name) ?? [])
    findings.push(...found.faults.map((f) => finding(f, printable(name))))
    return found.service
  })
  findings.push(...mixedPlacements(services).map((f) => finding(f, ORDER)))
  return { findings, services }
}

const ORDER = 'order'

function lintService(
  name: string,
  value: Json,
  placements: readonly SdlPlacement[],
): { readonly service: SdlService; readonly faults: readonly Fault[] } {
  const path = pointer('/services', name)
  const shape = new Shape()
  const members = shape.object(value, path) ?? {}
  const tee = teeOf(members, path)
  const image = shape.text(members.image, pointer(path, 'image'))
  const service = {
    name,
    tee: tee.type,
    teeForm: tee.form,
    image,
    placements: placements.map(({ placement, profile, gpuUnits, gpus }) => ({
      ...{ placement, profile, gpuUnits },
      gpuModels: gpus.map((g) => g.model),
    })),
  }
  const faults = [
    ...tee.faults,
    ...placements.flatMap((one) => gpuFaults(tee.type, one)),
    ...(image === undefined ? [] : imageFaults(image, pointer(path, 'image'))),
    ...secretFaults(shape, members, path),
    ...(members.credentials === undefined || members.credentials === null
      ? []
      : [fault('SDL_CREDENTIALS_IN_CLEAR', pointer(path, 'credentials'))]),
  ]
  return { service, faults: [...shape.faults, ...faults] }
}

interface Tee {
  readonly type: SdlService['tee']
  readonly form: SdlService['teeForm']
  readonly faults: readonly Fault[]
}

/** The names that the documentation once gave, with the kind that each stands for today. */
const TEE_TYPES: ReadonlyMap<Json | undefined, 'cpu' | 'cpu-gpu'> = new Map([
  ...(['cpu', 'sev-snp', 'snp', 'tdx'] as const).map((name) => [name, 'cpu'] as const),
  ...(['cpu-gpu', 'sev-snp-gpu', 'snp-gpu', 'tdx-gpu'] as const).map((name) => [name, 'cpu-gpu'] as const),
])

function teeOf(service: JsonObject, servicePath: string): Tee {
  const path = pointer(pointer(servicePath, 'params'), 'tee')
  const params = isJsonObject(service.params) ? service.params : {}
  const { tee } = params
  const none = (code: 'SDL_TEE_MISSING' | 'SDL_TEE_UNKNOWN', at: string): Tee => ({
    type: undefined,
    form: undefined,
    faults: [fault(code, at, { expected: 'cpu or cpu-gpu', ...actualWord(tee) })],
  })
  // It means on where it is not written, and anything but `true` may be read as off.
  const off = [
    { value: params.attestation, at: pointer(pointer(servicePath, 'params'), 'attestation') },
    { value: isJsonObject(tee) ? tee.attestation : undefined, at: pointer(path, 'attestation') },
  ].flatMap(({ value, at }) =>
    value === undefined || value === true ? [] : [fault('SDL_ATTESTATION_OFF', at, { expected: 'true' })],
  )
  const read = (): Tee => {
    if (tee === undefined || tee === null) return none('SDL_TEE_MISSING', path)
    if (tee === 'cpu' || tee === 'cpu-gpu') return { type: tee, form: 'params.tee', faults: [] }
    if (!isJsonObject(tee)) return none('SDL_TEE_UNKNOWN', path)
    const type = TEE_TYPES.get(tee.type)
    if (type !== undefined) return { type, form: 'params.tee.type', faults: [] }
    return none(tee.type == null ? 'SDL_TEE_MISSING' : 'SDL_TEE_UNKNOWN', pointer(path, 'type'))
  }
  const one = read()
  return { ...one, faults: [...one.faults, ...off] }
}

function gpuFaults(tee: SdlService['tee'], { gpuUnits, gpus, gpuPath }: SdlPlacement): readonly Fault[] {
  if (tee === 'cpu' && gpuUnits > 0)
    return [fault('SDL_GPU_OUTSIDE_TEE', gpuPath, { expected: 'cpu-gpu', actual: `cpu with ${gpuUnits} GPUs` })]
  if (tee !== 'cpu-gpu') return []
  if (gpuUnits === 0) return [fault('SDL_GPU_MISSING', gpuPath, { expected: 'at least 1', actual: 0 })]
  const expected = CONFIDENTIAL_MODELS.join(', ')
  if (gpus.length === 0) return [fault('SDL_GPU_MODEL_MISSING', gpuPath, { expected })]
  return gpus.flatMap(({ vendor, model, path }) => {
    const standing = standingOf(vendor, model)
    if (standing === 'confidential') return []
    const code = standing === 'unknown' ? 'SDL_GPU_MODEL_UNKNOWN' : 'SDL_GPU_MODEL_NOT_CONFIDENTIAL'
    return [fault(code, path, { expected, ...actualWord(`${vendor} ${model}`) })]
  })
}

const PINNED = /@sha256:[0-9a-f]{64}$/

/** What stands there, where it may be shown. */
function actualWord(value: Json | undefined): { readonly actual?: string } {
  const shown = typeof value === 'string' ? shownWord(value) : undefined
  return shown === undefined ? {} : { actual: shown }
}

function imageFaults(image: string, path: string): readonly Fault[] {
  if (PINNED.test(image)) return []
  return [fault('SDL_IMAGE_NOT_PINNED', path, { expected: 'name@sha256:<digest>', ...actualWord(image) })]
}

function secretFaults(shape: Shape, service: JsonObject, path: string): readonly Fault[] {
  const at = pointer(path, 'env')
  // Aliases repeat one long text as often as they like.
  const [known, words] = [new Map<string, string | undefined>(), new Map<string, string | undefined>()]
  const variables = shape.optionalList(service.env, at).flatMap((entry, i): readonly Fault[] => {
    const place = pointer(at, i)
    if (typeof entry !== 'string') {
      shape.wrong(place, 'NAME=value')
      return []
    }
    const equals = entry.indexOf('=')
    const name = equals < 0 ? '' : entry.slice(0, equals)
    const because = told(known, entry, () =>
      equals < 0 ? entryLooksLike(entry) : secretVariable(name, entry.slice(equals + 1)),
    )
    const shown = shownName(name)
    // A name of another form may be the secret itself, so its place alone is told.
    return because === undefined
      ? []
      : [fault('SDL_SECRET_IN_CLEAR', place, { actual: shown === undefined ? because : `${shown}: ${because}` })]
  })
  const commandLine = (['command', 'args'] as const).flatMap((member) =>
    listed(service[member]).flatMap((word, i) => {
      const what = typeof word === 'string' ? told(words, word, () => secretValue(word)) : undefined
      const place = pointer(pointer(path, member), i)
      return what === undefined ? [] : [fault('SDL_SECRET_IN_CLEAR', place, { actual: `looks like ${what}` })]
    }),
  )
  return [...variables, ...commandLine]
}

function told(
  known: Map<string, string | undefined>,
  text: string,
  look: () => string | undefined,
): string | undefined {
  if (!known.has(text)) known.set(text, look())
  return known.get(text)
}

function entryLooksLike(entry: string): string | undefined {
  const what = secretValue(entry)
  return what === undefined ? undefined : `looks like ${what}`
}

const listed = (value: Json | undefined): readonly Json[] =>
  Array.isArray(value) ? (value as readonly Json[]) : typeof value === 'string' ? [value] : []

/** One group has one kind of machine. A service without any is told of on its own. */
function mixedPlacements(services: readonly SdlService[]): readonly Fault[] {
  const kinds = new Map<string, Set<string>>()
  for (const { tee, placements } of services) {
    for (const { placement } of placements) {
      const known = kinds.get(placement) ?? new Set()
      kinds.set(placement, tee === undefined ? known : known.add(tee))
    }
  }
  return [...kinds].flatMap(([placement, tees]) =>
    tees.size < 2
      ? []
      : [
          fault('SDL_TEE_MIXED', pointer('/profiles/placement', placement), {
            expected: 'one',
            actual: [...tees].join(', '),
          }),
        ],
  )
}
