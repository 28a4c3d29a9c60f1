import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { checkCluster } from '../../../src/collect/host/cluster/checks.ts'
import type { Code } from '../../../src/core/codes.ts'
import { identity } from '../gateway.ts'
import { forgetTrees, tree } from './trees.ts'

/** As the API server answers `kubectl get --raw`, with what is read of each object. */
const node = (name: string, labels: Readonly<Record<string, string>>) => ({
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
  status: { nodeInfo: { kernelVersion: '6.8.0-64-generic' } },
})
const named = (name: string) => ({ metadata: { name } })
const list = (items: readonly unknown[]) => JSON.stringify({ kind: 'List', apiVersion: 'v1', items })

const SNP = { 'amd.feature.node.kubernetes.io/snp': 'true' }
const TDX = { 'intel.feature.node.kubernetes.io/tdx': 'true' }
const NODES = '/api/v1/nodes'
const CLASSES = '/apis/node.k8s.io/v1/runtimeclasses'
const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'

const READY: Readonly<Record<string, string>> = {
  [NODES]: list([
    node('gpu-1', { ...SNP, 'nvidia.com/gpu.present': 'true', 'nvidia.com/cc.mode.state': 'on' }),
    node('cpu-1', {}),
  ]),
  [CLASSES]: list([named('kata-qemu-snp'), named('runc')]),
  [WEBHOOKS]: list([named('akash-attestation-sidecar-injector')]),
}

/** Checked by Node itself, against the clock of this machine. */
const VALID = { notBefore: '2020-01-01T00:00:00Z', notAfter: '2099-01-01T00:00:00Z' }
const SERVER = identity('localhost', VALID)
const TOKEN = 'a-token-that-nobody-prints'
const servers: Server[] = []
afterEach(async () => {
  forgetTrees()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
})

/** An API server that wants the token. */
async function apiServer(objects: Readonly<Record<string, string>>): Promise<string> {
  const server = createServer({ key: SERVER.key, cert: SERVER.cert }, (request, response) => {
    const body = objects[request.url ?? '']
    if (request.headers.authorization !== `Bearer ${TOKEN}`) response.writeHead(401).end()
    else if (body === undefined) response.writeHead(403).end()
    else response.writeHead(200, { 'Content-Type': 'application/json' }).end(body)
  })
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return `https://localhost:${(server.address() as AddressInfo).port}`
}

const kubeconfig = (
  server: string,
  { cluster = `certificate-authority: ca.pem`, user = `token: ${TOKEN}` } = {},
): string =>
  join(
    tree({
      'ca.pem': CA,
      token: `${TOKEN}\n`,
      config: [
        'apiVersion: v1',
        'kind: Config',
        'current-context: here',
        'contexts: [{ name: here, context: { cluster: one, user: me } }]',
        `clusters: [{ name: one, cluster: { server: "${server}", ${cluster} } }]`,
        `users: [{ name: me, user: { ${user} } }]`,
        '',
      ].join('\n'),
    }),
    'config',
  )

const CA = SERVER.cert
const base64 = (text: string) => Buffer.from(text).toString('base64')

const wrongOnes = async (path: string): Promise<[string, Code][]> =>
  (await checkCluster(path)).flatMap((check): [string, Code][] =>
    check.state === 'wrong' ? [[check.id, check.fault.code]] : [],
  )

describe('checkCluster', () => {
  it('finds nothing wrong in a cluster that is ready', async () => {
    const checks = await checkCluster(kubeconfig(await apiServer(READY)))
    expect(checks).toEqual([
      { id: 'cluster.labels', state: 'ok', seen: 'snp: gpu-1' },
      { id: 'cluster.gpu.gpu-1', state: 'ok', seen: 'nvidia.com/cc.mode.state=on' },
      { id: 'cluster.runtimeclasses', state: 'ok', seen: 'kata-qemu-snp' },
      { id: 'cluster.webhook', state: 'ok', seen: 'akash-attestation-sidecar-injector' },
    ])
  })

  it.each<[string, Readonly<Record<string, string>>, readonly [string, Code][]]>([
    ['no label', { [NODES]: list([node('cpu-1', {})]) }, [['cluster.labels', 'DOCTOR_NODE_LABEL_MISSING']]],
    [
      'two platforms',
      { [NODES]: list([node('a', SNP), node('b', TDX)]) },
      [['cluster.labels', 'DOCTOR_NODE_LABELS_MIXED']],
    ],
    [
      'confidential mode off',
      { [NODES]: list([node('a', { ...SNP, 'nvidia.com/cc.mode.state': 'off' })]) },
      [['cluster.gpu.a', 'DOCTOR_NODE_CC_OFF']],
    ],
    [
      'no mode said',
      { [NODES]: list([node('a', { ...SNP, 'nvidia.com/gpu.present': 'true' })]) },
      [['cluster.gpu.a', 'DOCTOR_NODE_CC_OFF']],
    ],
    [
      'a class of another platform',
      { [CLASSES]: list([named('kata-qemu-tdx')]) },
      [['cluster.runtimeclasses', 'DOCTOR_RUNTIME_CLASS_MISSING']],
    ],
    ['no webhook', { [WEBHOOKS]: list([]) }, [['cluster.webhook', 'DOCTOR_WEBHOOK_MISSING']]],
    ['an answer that is no list', { [NODES]: '<html>' }, [['cluster.nodes', 'DOCTOR_CLUSTER_UNREACHABLE']]],
  ])('with %s', async (_, objects, expected) => {
    expect(await wrongOnes(kubeconfig(await apiServer({ ...READY, ...objects })))).toEqual(expected)
  })

  it('says what it may not list', async () => {
    const { [WEBHOOKS]: _, ...rest } = READY
    expect(await wrongOnes(kubeconfig(await apiServer(rest)))).toEqual([['cluster.webhook', 'DOCTOR_CLUSTER_DENIED']])
  })

  it('asks with the token of a file, and an authority written in the kubeconfig', async () => {
    const server = await apiServer(READY)
    const inline = { cluster: `certificate-authority-data: ${base64(CA)}`, user: 'tokenFile: token' }
    expect(await wrongOnes(kubeconfig(server, inline))).toEqual([])
    expect(await wrongOnes(kubeconfig(server, { user: 'token: another' }))).toEqual([
      ['cluster.nodes', 'DOCTOR_CLUSTER_DENIED'],
    ])
  })

  it.each([
    ['a token of two lines', { user: 'token: "a\\nb"' }],
    ['a token that no header takes', { user: 'token: "\u263a"' }],
    ['a certificate that is none', { user: `client-certificate-data: ${base64('none')}` }],
    ['a key that is none', { user: `client-key-data: ${base64('none')}` }],
  ])('refuses a kubeconfig with %s', async (_, parts) => {
    expect(await wrongOnes(kubeconfig('https://127.0.0.1:1', parts))).toEqual([
      ['cluster', 'DOCTOR_KUBECONFIG_UNUSABLE'],
    ])
    expect(await wrongOnes(kubeconfig('https://127.0.0.1:1', { user: 'token: a' }))).toEqual([
      ['cluster.nodes', 'DOCTOR_CLUSTER_UNREACHABLE'],
    ])
  })

  it('believes no server that the authority did not certify', async () => {
    const other = { cluster: `certificate-authority-data: ${base64(identity('localhost', VALID).cert)}` }
    expect(await wrongOnes(kubeconfig(await apiServer(READY), other))).toEqual([
      ['cluster.nodes', 'DOCTOR_CLUSTER_UNREACHABLE'],
    ])
    expect(await wrongOnes(kubeconfig('https://127.0.0.1:1'))).toEqual([
      ['cluster.nodes', 'DOCTOR_CLUSTER_UNREACHABLE'],
    ])
  })

  it.each([
    ['a program', { user: 'exec: { command: get-token }' }],
    ['no check of certificates', { cluster: 'insecure-skip-tls-verify: true' }],
    ['an authority that is not there', { cluster: 'certificate-authority: none.pem' }],
  ])('uses no kubeconfig with %s', async (_, parts) => {
    expect(await wrongOnes(kubeconfig('https://127.0.0.1:1', parts))).toEqual([
      ['cluster', 'DOCTOR_KUBECONFIG_UNUSABLE'],
    ])
  })

  it('repeats no token', async () => {
    const path = join(tree({ config: `users: [{ name: me, user: { token: ${TOKEN} } }]\nusers: twice\n` }), 'config')
    const checks = await checkCluster(path)
    expect(checks).toMatchObject([{ state: 'wrong', fault: { code: 'DOCTOR_KUBECONFIG_UNUSABLE' } }])
    expect(JSON.stringify(checks)).not.toContain(TOKEN)
  })

  it('is skipped without a kubeconfig', async () => {
    expect(await checkCluster(undefined)).toMatchObject([{ state: 'skipped' }])
  })
})
