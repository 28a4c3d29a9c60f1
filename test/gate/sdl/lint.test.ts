import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { lintSdl, standingOf } from '../../../src/gate/sdl/index.ts'
import { describeEvidence, evidencePath } from '../../support/evidence.ts'
import { codesOfOrder, DIGEST, H100, order } from './support.ts'

describe('lintSdl', () => {
  it('finds nothing in an order that is in order, and tells its services', async () => {
    expect(await lintSdl(order())).toEqual({
      findings: [],
      services: [
        {
          name: 'web',
          tee: 'cpu-gpu',
          teeForm: 'params.tee',
          image: `ghcr.io/acme/inference@${DIGEST}`,
          placements: [{ placement: 'akash', profile: 'big', gpuUnits: 1, gpuModels: ['h100'] }],
        },
      ],
    })
    expect(await codesOfOrder(order({ params: '    params: { tee: cpu }', gpu: '' }))).toEqual([])
  })

  it('says where, of which service, and what to do', async () => {
    const { findings } = await lintSdl(order({ image: 'nginx:latest' }))
    expect(findings).toEqual([
      {
        code: 'SDL_IMAGE_NOT_PINNED',
        verdict: 'reject',
        item: 'web',
        path: '/services/web/image',
        expected: 'name@sha256:<digest>',
        actual: 'nginx:latest',
        hint: expect.stringContaining('docker buildx imagetools inspect'),
      },
    ])
  })

  it('reports everything at once', async () => {
    const text = order({ params: '    params: {}', image: 'nginx', service: '    env: [API_KEY=abc]' })
    expect(await codesOfOrder(text)).toEqual(['SDL_TEE_MISSING', 'SDL_IMAGE_NOT_PINNED', 'SDL_SECRET_IN_CLEAR'])
  })
})

describe('the kind of machine', () => {
  const params = (text: string) => codesOfOrder(order({ params: text }))

  it.each([
    ['no params', '', 'SDL_TEE_MISSING'],
    ['params without tee', '    params: {}', 'SDL_TEE_MISSING'],
    ['an empty tee', '    params: { tee: }', 'SDL_TEE_MISSING'],
    ['an empty tee.type', '    params: { tee: { type: } }', 'SDL_TEE_MISSING'],
    ['a name of silicon', '    params: { tee: sev-snp }', 'SDL_TEE_UNKNOWN'],
    ['upper case', '    params: { tee: CPU }', 'SDL_TEE_UNKNOWN'],
    ['true', '    params: { tee: true }', 'SDL_TEE_UNKNOWN'],
    ['a list', '    params: { tee: [cpu] }', 'SDL_TEE_UNKNOWN'],
    ['a type nobody knows', '    params: { tee: { type: enclave } }', 'SDL_TEE_UNKNOWN'],
    ['attestation: false', '    params: { tee: { type: cpu-gpu, attestation: false } }', 'SDL_ATTESTATION_OFF'],
    [
      'attestation: no, which Go reads as false',
      '    params: { tee: { type: cpu-gpu, attestation: no } }',
      'SDL_ATTESTATION_OFF',
    ],
    ['attestation: null', '    params: { tee: { type: cpu-gpu, attestation: } }', 'SDL_ATTESTATION_OFF'],
    ['attestation: false beside tee', '    params: { tee: cpu-gpu, attestation: false }', 'SDL_ATTESTATION_OFF'],
  ])('%s: %s is %s', async (_, text, code) => {
    expect(await params(text)).toEqual([code])
  })

  it.each([
    ['cpu-gpu', 'cpu-gpu'],
    ['sev-snp-gpu', 'cpu-gpu'],
    ['tdx-gpu', 'cpu-gpu'],
  ])('takes params.tee.type: %s, as the documentation once had it', async (type, tee) => {
    const { findings, services } = await lintSdl(
      order({ params: `    params: { tee: { type: ${type}, attestation: true } }` }),
    )
    expect(findings).toEqual([])
    expect(services).toMatchObject([{ tee, teeForm: 'params.tee.type' }])
  })

  it('is one for all services of a placement', async () => {
    const two = (tee: string, placement: string) =>
      order()
        .replace('profiles:\n', `  side:\n    image: side@${DIGEST}\n    params: { tee: ${tee} }\nprofiles:\n`)
        .replace('  compute:\n', '  compute:\n    small: { resources: { cpu: { units: 1 } } }\n') +
      `\n  side: { ${placement}: { profile: small, count: 1 } }\n`
    expect(await codesOfOrder(two('cpu', 'akash'))).toEqual(['SDL_TEE_MIXED'])
    expect(await codesOfOrder(two('cpu', 'other'))).toEqual([])
  })
})

describe('GPUs', () => {
  const gpu = (text: string) => codesOfOrder(order({ gpu: text }))
  const models = (...names: string[]) =>
    gpu(
      `          units: 8\n          attributes: { vendor: { nvidia: [${names.map((n) => `{ model: ${n} }`).join(', ')}] } }`,
    )

  it('must be asked for where they are to be confidential', async () => {
    expect(await gpu('')).toEqual(['SDL_GPU_MISSING'])
    expect(await gpu(H100.replace('units: 1', 'units: 0'))).toEqual(['SDL_GPU_MISSING'])
    expect(await gpu(H100.replace('units: 1', 'units: "2"'))).toEqual([])
  })

  it('must be confidential where they are asked for', async () => {
    expect(await codesOfOrder(order({ params: '    params: { tee: cpu }' }))).toEqual(['SDL_GPU_OUTSIDE_TEE'])
  })

  it.each([
    ['no attributes', '          units: 1'],
    ['no vendor', '          units: 1\n          attributes: {}'],
    ['no model', '          units: 1\n          attributes: { vendor: { nvidia: } }'],
    ['any model', "          units: 1\n          attributes: { vendor: { nvidia: [{ model: '*' }] } }"],
    ['a vendor without list', '          units: 1\n          attributes: { vendor: { nvidia: [] } }'],
  ])('need a model: %s', async (_, text) => {
    expect(await gpu(text)).toEqual(['SDL_GPU_MODEL_MISSING'])
  })

  it.each(['h100', 'H100', 'h200', 'h800', 'b200', 'h100-sxm5', 'h100-pcie-80gb'])('may be %s', async (model) => {
    expect(await models(model)).toEqual([])
  })

  it.each([
    ...[
      'a100',
      'v100',
      't4',
      'l4',
      'l40s',
      'a10',
      'a6000',
      'rtx3080',
      'rtx4090',
      'RTX 4090',
      'gtx1080ti',
      'p100',
      'gh200',
    ],
  ])('cannot be %s', async (model) => {
    expect(await models(model)).toEqual(['SDL_GPU_MODEL_NOT_CONFIDENTIAL'])
  })

  it('cannot be of a vendor without confidential mode', async () => {
    const text = '          units: 1\n          attributes: { vendor: { amd: [{ model: mi300x }] } }'
    expect(await gpu(text)).toEqual(['SDL_GPU_MODEL_NOT_CONFIDENTIAL'])
  })

  it.each(['b300', 'gb200', 'rtx-pro-6000', 'h20', 'x1'])('are not guessed about: %s', async (model) => {
    expect(standingOf('nvidia', model)).toBe('unknown')
    expect(await models(model)).toEqual(['SDL_GPU_MODEL_UNKNOWN'])
  })

  it('are looked at one by one, and name the models that can', async () => {
    const { findings } = await lintSdl(
      order({
        gpu: '          units: 1\n          attributes: { vendor: { nvidia: [{ model: h100 }, { model: a100 }] } }',
      }),
    )
    expect(findings).toMatchObject([
      {
        path: '/profiles/compute/big/resources/gpu/attributes/vendor/nvidia/1/model',
        expected: 'h100, h200, h800, b200',
        actual: 'nvidia a100',
      },
    ])
  })
})

describe('images', () => {
  it.each([
    ...[
      'nginx',
      'nginx:1.27',
      'ghcr.io/acme/x:latest',
      'x@sha256:abc',
      `x@sha256:${'AB'.repeat(32)}`,
      `x@${DIGEST}:tag`,
    ],
  ])('%s is not pinned', async (image) => {
    expect(await codesOfOrder(order({ image }))).toEqual(['SDL_IMAGE_NOT_PINNED'])
  })

  it('is pinned by digest, with a tag or without', async () => {
    expect(await codesOfOrder(order({ image: `registry.example:5000/acme/x:1.2@${DIGEST}` }))).toEqual([])
  })

  it('needs no credentials of its registry', async () => {
    const service = '    credentials: { host: ghcr.io, username: robot, password: s3cr3t-p4ss }'
    const { findings } = await lintSdl(order({ service }))
    expect(findings.map((f) => f.code)).toEqual(['SDL_CREDENTIALS_IN_CLEAR'])
    expect(JSON.stringify(findings)).not.toMatch(/s3cr3t|robot/)
  })
})

describe('the form of the order', () => {
  it.each([
    ['no mapping', '- a'],
    ['no text', ''],
    ['no services', 'version: "2.1"'],
    ['an empty list of services', order().replace(/services:[\s\S]*profiles:/, 'services: {}\nprofiles:')],
    ['a profile that is not there', order({ deployment: '  web: { akash: { profile: small, count: 1 } }' })],
    ['a service that is not there', order({ more: '  side: { akash: { profile: big, count: 1 } }' })],
    ['a service without placement', order({ deployment: '  web: {}' })],
    ['units that are no number', order({ gpu: H100.replace('units: 1', 'units: many') })],
    ['an image that is a list', order({ image: '[a]' })],
    ['env as a mapping', order({ service: '    env: { A: b }' })],
    ['env of numbers', order({ service: '    env: [1]' })],
  ])('is told of: %s', async (_, text) => {
    expect(new Set(await codesOfOrder(text))).toEqual(new Set(['SDL_SHAPE_INVALID']))
  })

  it('is told of without a word of what stands there', async () => {
    const { findings } = await lintSdl(order({ service: '    env: { HF_TOKEN: hf_0123456789abcdefghijklmn }' }))
    expect(JSON.stringify(findings)).not.toContain('hf_')
  })
})

describeEvidence('akash/sdl', () => {
  it.each([
    ['tee-cpu.yaml', ['SDL_IMAGE_NOT_PINNED']],
    ['tee-cpu-gpu.yaml', ['SDL_GPU_MODEL_NOT_CONFIDENTIAL', 'SDL_IMAGE_NOT_PINNED']],
    ['invalid-cpu-gpu-no-gpu.yaml', ['SDL_GPU_MISSING', 'SDL_IMAGE_NOT_PINNED']],
    ['provider-dev-cc-gpu.yaml', ['SDL_GPU_MODEL_MISSING', 'SDL_IMAGE_NOT_PINNED']],
  ])('%s', async (file, codes) => {
    const text = readFileSync(evidencePath(`akash/sdl/${file}`), 'utf8')
    expect(await codesOfOrder(text)).toEqual(codes)
    const pinned = text.replace(/(image: \S+)/, `$1@${DIGEST}`).replace('rtx3080', 'h100')
    expect(await codesOfOrder(pinned)).toEqual(codes.filter((c) => !/IMAGE|NOT_CONFIDENTIAL/.test(c)))
  })
})
