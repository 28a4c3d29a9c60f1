import { isJsonObject, type Json, type JsonObject, pointer } from '../../core/json.ts'
import { type Fault, fault } from '../../core/outcome.ts'

/** A GPU that a profile asks for. */
export interface SdlGpu {
  readonly vendor: string
  readonly model: string
  /** where it stands */
  readonly path: string
}

/** Where a service is deployed: a placement becomes one group of the order. */
export interface SdlPlacement {
  readonly placement: string
  readonly profile: string
  readonly gpuUnits: number
  readonly gpus: readonly SdlGpu[]
  /** of the profile's GPU, or of its resources where it has none */
  readonly gpuPath: string
}

/** Member access that collects what has another form, and goes on. */
export class Shape {
  readonly faults: Fault[] = []

  wrong(path: string, expected: string): undefined {
    this.faults.push(fault('SDL_SHAPE_INVALID', path, { expected }))
    return undefined
  }

  object(value: Json | undefined, path: string): JsonObject | undefined {
    return isJsonObject(value) ? value : this.wrong(path, 'a mapping')
  }

  text(value: Json | undefined, path: string): string | undefined {
    return typeof value === 'string' && value !== '' ? value : this.wrong(path, 'text')
  }

  /** A list, or nothing at all. */
  optionalList(value: Json | undefined, path: string): readonly Json[] {
    if (value === undefined || value === null) return []
    if (Array.isArray(value)) return value as readonly Json[]
    this.wrong(path, 'a list')
    return []
  }
}

/** The members of an object that must be there and not be empty. */
export function entriesOf(shape: Shape, parent: JsonObject, name: string, path: string): readonly [string, Json][] {
  const at = pointer(path, name)
  const object = shape.object(parent[name], at)
  const entries = Object.entries(object ?? {}).map(([key, value]): [string, Json] => [key, value ?? null])
  if (object !== undefined && entries.length === 0) shape.wrong(at, 'at least one entry')
  return entries
}

/** Where each service is deployed, with what its profile asks for. A name that leads nowhere is a fault. */
export function placementsOf(
  shape: Shape,
  document: JsonObject,
  services: ReadonlySet<string>,
): ReadonlyMap<string, readonly SdlPlacement[]> {
  const profiles = shape.object(document.profiles, '/profiles')
  const compute = profiles === undefined ? undefined : shape.object(profiles.compute, '/profiles/compute')
  const found = new Map<string, readonly SdlPlacement[]>()
  for (const [service, placed] of entriesOf(shape, document, 'deployment', '')) {
    const at = pointer('/deployment', service)
    if (!services.has(service)) shape.wrong(at, 'the name of a service')
    const placements = Object.entries(shape.object(placed, at) ?? {})
    if (placements.length === 0) shape.wrong(at, 'at least one placement')
    const read = placements.map(([placement, value]) => {
      const path = pointer(at, placement)
      const profile = shape.text(shape.object(value, path)?.profile, pointer(path, 'profile'))
      return profile === undefined ? undefined : placementOf(shape, placement, profile, compute)
    })
    found.set(
      service,
      read.filter((one) => one !== undefined),
    )
  }
  return found
}

function placementOf(
  shape: Shape,
  placement: string,
  profile: string,
  compute: JsonObject | undefined,
): SdlPlacement | undefined {
  const path = pointer('/profiles/compute', profile)
  const resources = shape.object(shape.object(compute?.[profile], path)?.resources, pointer(path, 'resources'))
  if (resources === undefined) return undefined
  const { gpu } = resources
  const gpuPath = pointer(pointer(path, 'resources'), 'gpu')
  if (gpu === undefined || gpu === null) return { placement, profile, gpuUnits: 0, gpus: [], gpuPath }
  const asked = shape.object(gpu, gpuPath)
  const gpuUnits = unitsOf(asked?.units)
  if (asked === undefined || gpuUnits === undefined) {
    shape.wrong(pointer(gpuPath, 'units'), 'a whole number')
    return undefined
  }
  return { placement, profile, gpuUnits, gpus: gpusOf(shape, asked, gpuPath), gpuPath }
}

function unitsOf(units: Json | undefined): number | undefined {
  const count = typeof units === 'string' && /^[0-9]{1,4}$/.test(units) ? Number(units) : units
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : undefined
}

/** `attributes.vendor.<vendor>` is a list of `{ model }`, or empty for any model; so is the model `*`. */
function gpusOf(shape: Shape, gpu: JsonObject, path: string): readonly SdlGpu[] {
  const attributes = pointer(path, 'attributes')
  const vendors = pointer(attributes, 'vendor')
  if (gpu.attributes === undefined || gpu.attributes === null) return []
  const vendor = shape.object(gpu.attributes, attributes)?.vendor
  if (vendor === undefined || vendor === null) return []
  return Object.entries(shape.object(vendor, vendors) ?? {}).flatMap(([name, models]) => {
    const at = pointer(vendors, name)
    return shape.optionalList(models, at).flatMap((entry, i) => {
      const model = shape.object(entry, pointer(at, i))?.model
      const modelPath = pointer(pointer(at, i), 'model')
      if (model === undefined || model === null || model === '*') return []
      const text = typeof model === 'number' ? String(model) : shape.text(model, modelPath)
      return text === undefined ? [] : [{ vendor: name.toLowerCase(), model: text, path: modelPath }]
    })
  })
}
