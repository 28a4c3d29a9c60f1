import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { type Fault, fault } from '../../../core/outcome.ts'
import { type Check, good, skipped, wrong } from '../check.ts'
import { listObjects } from './api.ts'
import { readKubeconfig } from './kubeconfig.ts'

/** Labels by which the provider software knows a platform, set by hand (akash.md §1). */
const PLATFORMS = [
  { name: 'snp', label: 'amd.feature.node.kubernetes.io/snp' },
  { name: 'tdx', label: 'intel.feature.node.kubernetes.io/tdx' },
] as const
const CC_STATE = 'nvidia.com/cc.mode.state'
const GPU_PRESENT = 'nvidia.com/gpu.present'

/** Labels, runtime classes and the webhook of a provider's cluster. */
export async function checkCluster(kubeconfig: string | undefined): Promise<readonly Check[]> {
  if (kubeconfig === undefined) return [skipped('cluster', 'no --kubeconfig was given')]
  const access = await readKubeconfig(kubeconfig)
  if (!access.ok) return [wrong('cluster', access.faults[0])]
  const [nodes, classes, webhooks] = await Promise.all([
    listObjects(access.value, '/api/v1/nodes'),
    listObjects(access.value, '/apis/node.k8s.io/v1/runtimeclasses'),
    listObjects(access.value, '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'),
  ])
  if (!nodes.ok) return [wrong('cluster.nodes', nodes.faults[0])]
  const platforms = platformsOf(nodes.value)
  return [
    checkLabels(nodes.value, platforms),
    ...checkConfidentialGpus(nodes.value),
    classes.ok ? checkClasses(classes.value, platforms) : wrong('cluster.runtimeclasses', classes.faults[0]),
    webhooks.ok ? checkWebhook(webhooks.value) : wrong('cluster.webhook', webhooks.faults[0]),
  ]
}

const member = (object: Json | undefined, name: string): Json | undefined =>
  isJsonObject(object) ? object[name] : undefined
const nameOf = (object: JsonObject): string => String(member(object.metadata, 'name') ?? '')
const labelOf = (node: JsonObject, label: string): Json | undefined => member(member(node.metadata, 'labels'), label)

type Platform = (typeof PLATFORMS)[number]

const platformsOf = (nodes: readonly JsonObject[]): readonly Platform[] =>
  PLATFORMS.filter(({ label }) => nodes.some((node) => labelOf(node, label) === 'true'))

function checkLabels(nodes: readonly JsonObject[], platforms: readonly Platform[]): Check {
  const id = 'cluster.labels'
  if (platforms.length === 0)
    return wrong(
      id,
      fault('DOCTOR_NODE_LABEL_MISSING', 'nodes', {
        expected: PLATFORMS.map(({ label }) => `${label}=true`).join(' or '),
        actual: `${nodes.length} nodes without`,
      }),
    )
  // The provider software takes the first labelled node for the whole cluster.
  if (platforms.length > 1)
    return wrong(
      id,
      fault('DOCTOR_NODE_LABELS_MIXED', 'nodes', {
        expected: 'one platform',
        actual: platforms.map(({ name }) => name).join(' and '),
      }),
    )
  const labelled = nodes.filter((node) => platforms.some(({ label }) => labelOf(node, label) === 'true'))
  return good(id, `${platforms[0]?.name}: ${labelled.map(nameOf).join(', ')}`)
}

function checkConfidentialGpus(nodes: readonly JsonObject[]): readonly Check[] {
  const withGpu = nodes.filter((node) => labelOf(node, CC_STATE) !== undefined || labelOf(node, GPU_PRESENT) === 'true')
  return withGpu.map((node) => {
    const state = labelOf(node, CC_STATE)
    const id = `cluster.gpu.${nameOf(node)}`
    return state === 'on' || state === 'ppcie'
      ? good(id, `${CC_STATE}=${state}`)
      : wrong(
          id,
          fault('DOCTOR_NODE_CC_OFF', `nodes/${nameOf(node)}`, {
            expected: `${CC_STATE}=on`,
            actual: String(state ?? 'no such label'),
          }),
        )
  })
}

function checkClasses(classes: readonly JsonObject[], platforms: readonly Platform[]): Check {
  const names = classes.map(nameOf)
  const wanted = (platforms.length === 0 ? PLATFORMS : platforms).map(({ name }) => name)
  const found = names.filter((name) => /kata/i.test(name) && wanted.some((platform) => name.includes(platform)))
  return found.length > 0
    ? good('cluster.runtimeclasses', found.join(', '))
    : wrong(
        'cluster.runtimeclasses',
        missing(
          'DOCTOR_RUNTIME_CLASS_MISSING',
          wanted.map((name) => `kata-qemu-${name}`),
          names,
        ),
      )
}

function checkWebhook(webhooks: readonly JsonObject[]): Check {
  const names = webhooks.map(nameOf)
  const found = names.filter((name) => /attestation/i.test(name))
  return found.length > 0
    ? good('cluster.webhook', found.join(', '))
    : wrong('cluster.webhook', missing('DOCTOR_WEBHOOK_MISSING', ['a webhook of the attestation sidecar'], names))
}

const missing = (code: Fault['code'], wanted: readonly string[], names: readonly string[]): Fault =>
  fault(code, 'cluster', { expected: wanted.join(' or '), actual: names.join(', ') || 'none' })
