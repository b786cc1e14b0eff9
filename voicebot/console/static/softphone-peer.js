// The WebRTC connection to the gateway, and what it measures of itself. The microphone is sent during calls only.
const GATHERING_MS = 2000;

export class Peer {
  constructor(servers, onTrack, onState) {
    this.connection = new RTCPeerConnection({ iceServers: servers, bundlePolicy: "max-bundle" });
    this.audio = this.connection.addTransceiver("audio", { direction: "sendrecv" });
    this.connection.ontrack = (event) => onTrack(event.streams[0] ?? new MediaStream([event.track]));
    this.connection.onconnectionstatechange = () => onState(this.connection.connectionState);
    this.before = {};
  }

  // The offer with all our candidates in it: the gateway takes it whole.
  async offer() {
    const connection = this.connection;
    await connection.setLocalDescription(await connection.createOffer());
    if (connection.iceGatheringState !== "complete") {
      await new Promise((done) => {
        connection.addEventListener("icegatheringstatechange", () => { if (connection.iceGatheringState === "complete") done(); });
        setTimeout(done, GATHERING_MS);
      });
    }
    return connection.localDescription.sdp;
  }

  async accept(sdp) { await this.connection.setRemoteDescription({ type: "answer", sdp }); }

  // Speak into this track; null: say nothing at all.
  async speak(track) { await this.audio.sender.replaceTrack(track); }

  // {jitter_ms, loss, rtt_ms} since the last time; the loss of whichever way is worse.
  async quality() {
    const found = {};
    for (const one of (await this.connection.getStats()).values()) {
      if (one.type === "inbound-rtp") found.in = one;
      if (one.type === "remote-inbound-rtp") found.out = one;
      if (one.type === "candidate-pair" && one.nominated && one.state === "succeeded") found.pair = one;
    }
    const received = found.in?.packetsReceived ?? 0, lost = found.in?.packetsLost ?? 0;
    const news = received - (this.before.received ?? 0), gone = Math.max(0, lost - (this.before.lost ?? 0));
    this.before = { received, lost };
    const rtt = found.out?.roundTripTime ?? found.pair?.currentRoundTripTime ?? 0;
    return {
      jitter_ms: Math.round(1000 * Math.max(found.in?.jitter ?? 0, found.out?.jitter ?? 0)),
      loss: Math.min(1, Math.max(news + gone ? gone / (news + gone) : 0, found.out?.fractionLost ?? 0)),
      rtt_ms: Math.round(1000 * rtt),
    };
  }

  close() { this.connection.onconnectionstatechange = null; this.connection.close(); }
}
