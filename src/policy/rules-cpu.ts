import { isJsonObject, type Json, type JsonObject, pointer } from '../core/json.ts'
import { type Fault, fault, type NonEmpty } from '../core/outcome.ts'
import type { CpuRule } from './policy.ts'
import { sgxRule } from './rules-sgx.ts'
import { snpRule } from './rules-snp.ts'
import { tdxRule } from './rules-tdx.ts'
import { type Loosening, refuseType, type Shape, type Silence } from './shape.ts'
import { readText } from './text.ts'

/** Alternatives of one policy, composed ones too, though each of one pairs with each of the other. */
export const MOST_ALTERNATIVES = 8

const RULES = { 'amd/snp': snpRule, 'intel/tdx': tdxRule, 'intel/sgx': sgxRule } as const
type Platform = keyof typeof RULES
const PLATFORMS = Object.keys(RULES) as readonly Platform[]

const schemas = PLATFORMS.map((platform): JsonObject => RULES[platform].schema)

/** The shape of a platform's rules, for rules of that platform alone; whoever calls it has compared `platform`. */
const shapeOf = (platform: Platform): Shape<CpuRule> => RULES[platform] as unknown as Shape<CpuRule>

function platformOf(json: JsonObject, path: string, faults: Fault[]): Platform | undefined {
  const expected = PLATFORMS.join(' | ')
  const at = pointer(path, 'platform')
  if (json.platform === undefined) {
    faults.push(fault('POLICY_KEY_MISSING', at, { expected }))
    return undefined
  }
  const text = readText(json.platform, at, faults, expected)
  const platform = PLATFORMS.find((p) => p === text)
  if (text !== undefined && platform === undefined)
    faults.push(fault('POLICY_VALUE_INVALID', at, { expected, actual: text }))
  return platform
}

/** One alternative: the member `platform` says whose rules follow. */
function readRule(json: Json, path: string, faults: Fault[], base: NonEmpty<CpuRule> | undefined): CpuRule | undefined {
  if (!isJsonObject(json)) return refuseType(json, path, 'an object', faults)
  const platform = platformOf(json, path, faults)
  // Rules of a platform that the preset does not speak of start from their own defaults, and are then told as looser.
  return platform === undefined
    ? undefined
    : shapeOf(platform).read(
        json,
        path,
        faults,
        base?.find((rule) => rule.platform === platform),
      )
}

/** Several ways for a CPU to satisfy the policy; one is enough. */
export const alternatives: Shape<NonEmpty<CpuRule>> = {
  schema: { type: 'array', minItems: 1, maxItems: MOST_ALTERNATIVES, items: { oneOf: schemas } },
  read(json, path, faults, base) {
    if (!Array.isArray(json)) return refuseType(json, path, 'a list of alternatives', faults)
    if (json.length === 0) faults.push(fault('POLICY_LIST_EMPTY', path, { expected: 'at least one alternative' }))
    if (json.length > MOST_ALTERNATIVES) {
      faults.push(
        fault('LIMIT_POLICY', path, { expected: `at most ${MOST_ALTERNATIVES} alternatives`, actual: json.length }),
      )
      return undefined
    }
    const rules = json.map((entry, i) => readRule(entry, pointer(path, i), faults, base))
    const [first, ...rest] = rules.filter((r) => r !== undefined)
    return first === undefined || rest.length + 1 < rules.length ? undefined : [first, ...rest]
  },
  both(floor, tenant, path, clashes) {
    const met: string[] = []
    const pairs = tenant.flatMap((t, i) =>
      floor.filter(isOf(t.platform)).map((f) => shapeOf(t.platform).both(f, t, pointer(path, i), met)),
    )
    const [first, ...rest] = pairs.filter((r) => r !== undefined)
    if (first !== undefined) return [first, ...rest]
    clashes.push(met[0] ?? pointer(pointer(path, 0), 'platform'))
    return undefined
  },
  looser: (floor, tenant, path, silence) => tenant.flatMap((t, i) => looserRule(floor, t, pointer(path, i), silence)),
}

const isOf =
  (platform: Platform) =>
  (rule: CpuRule): boolean =>
    rule.platform === platform

/** An alternative is judged by the one of the floor that it comes closest to; a platform that the floor refuses is looser. */
function looserRule(floor: NonEmpty<CpuRule>, rule: CpuRule, path: string, silence: Silence): readonly Loosening[] {
  const found = floor.filter(isOf(rule.platform)).map((f) => shapeOf(rule.platform).looser(f, rule, path, silence))
  const [first, ...rest] = found
  if (first === undefined) {
    const platforms = [...new Set(floor.map((f) => f.platform))].join(', ')
    return [{ path: pointer(path, 'platform'), floor: platforms, tenant: rule.platform }]
  }
  return rest.reduce((best, next) => (next.length < best.length ? next : best), first)
}
