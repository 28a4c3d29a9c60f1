/* Objects of one deployment, as the chain's REST interface and a tenant's order have them. */

const OWNER = 'akash1qufa3xzrf34qvwyejkhvnc4psf49fftaw0asmh'
const ORDER = { owner: OWNER, dseq: '18412345', gseq: 1, oseq: 1 }
const GPU = { units: { val: '1' }, attributes: [{ key: 'vendor/nvidia/model/h100', value: 'true' }] }

export const bidOf = (provider: string) => ({
  bid: {
    id: { ...ORDER, provider, bseq: 0 },
    state: 'open',
    price: { denom: 'uakt', amount: '4200.000000000000000000' },
    resources_offer: [{ resources: { id: 1, gpu: GPU }, count: 1 }],
  },
})

export const orderOf = () => ({
  order: {
    id: ORDER,
    state: 'open',
    spec: {
      name: 'akash',
      requirements: { attributes: [{ key: 'tee/type', value: 'cpu-gpu' }] },
      resources: [{ resource: { id: 1, gpu: GPU }, count: 1 }],
    },
  },
})

/** What the tenant orders: nothing secret in it, since the winner reads it. */
export const SDL = `version: "2.1"
services:
  model:
    image: ghcr.io/acme/inference@sha256:${'ab'.repeat(32)}
    params: { tee: cpu-gpu }
    expose: [{ port: 8080, to: [{ global: true }] }]
profiles:
  compute:
    gpu:
      resources:
        cpu: { units: 4 }
        memory: { size: 16Gi }
        storage: { size: 50Gi }
        gpu: { units: 1, attributes: { vendor: { nvidia: [{ model: h100 }] } } }
  placement:
    akash:
      pricing: { model: { denom: uakt, amount: 5000 } }
deployment:
  model: { akash: { profile: gpu, count: 1 } }
`
