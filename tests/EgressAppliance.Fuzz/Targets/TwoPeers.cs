using System.Net;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Fuzz.Checks;
using EgressAppliance.Fuzz.Running;
using EgressAppliance.Net;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>
/// The receiving half of a speaker with two peers (0 external, 1 internal) and no sockets: octets go through the framer, the state machine and the decoders into
/// a table, and in parallel into a dictionary. What a peer session and the speaker do between these parts is done here in the same order.
/// </summary>
internal sealed class TwoPeers : IDisposable
{
    private const int MaxPrefix = 64;
    private const uint RouterId = 0x0A00_0001;
    private readonly Peer[] _peers;
    private readonly RibUnderTest _rib = new(peers: 2);
    private readonly UpdateMessage _update = new();

    public TwoPeers(uint ourAs)
    {
        _peers = [new(Options(ourAs, ourAs + 1)), new(Options(ourAs, ourAs))];
        for (int peer = 0; peer < _peers.Length; peer++)
        {
            Dispatch(peer, new(FsmEventKind.Start));
            Dispatch(peer, new(FsmEventKind.TcpConnected));
        }
    }

    /// <summary>Octets from a peer. After its session ended they go nowhere, as those of a closed connection.</summary>
    public void Receive(int peer, ReadOnlySpan<byte> octets)
    {
        Peer p = _peers[peer];
        if (p.Closed)
        {
            return;
        }

        p.Pending.AddRange(octets);
        ReadOnlySpan<byte> input = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(p.Pending);
        int used = 0;
        while (!p.Closed && BgpFramer.TryReadHeader(input[used..], default, out BgpMessageType type, out int length, out BgpError? error))
        {
            if (error is not null)
            {
                Fail(peer, error);
                break;
            }

            Message(peer, type, input.Slice(used + BgpConstants.HeaderLength, length - BgpConstants.HeaderLength));
            used += length;
        }

        p.Pending.RemoveRange(0, used);
    }

    /// <summary>Compares the table with the dictionary. Returns a hash over all routes, whatever their order.</summary>
    public ulong CheckRoutes() => _rib.Compare();

    /// <summary>Ends both sessions: nothing may be left.</summary>
    public void Close()
    {
        for (int peer = 0; peer < _peers.Length; peer++)
        {
            Dispatch(peer, new(FsmEventKind.TcpFails, "closed"));
        }

        _rib.CheckEmpty();
    }

    /// <inheritdoc/>
    public void Dispose() => _rib.Dispose();

    /// <summary>Hash over all steps and answers.</summary>
    public ulong History(int peer) => _peers[peer].History.Value;

    /// <summary>Why the session is where it is.</summary>
    public string Ending(int peer) => $"{_peers[peer].State.State}: {_peers[peer].Reason}";

    /// <summary>State, or the NOTIFICATION that was sent.</summary>
    public string Verdict(int peer) => _peers[peer].Sent is { } sent ? Verdicts.Reset(sent.Code, sent.Subcode) : _peers[peer].State.State.ToString();

    /// <summary>The routes, for findings.</summary>
    public string Describe() => _rib.Describe();

    private void Message(int peer, BgpMessageType type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case BgpMessageType.Open:
                Open(peer, body);
                break;
            case BgpMessageType.Update:
                Update(peer, body);
                break;
            case BgpMessageType.Notification:
                Dispatch(peer, new(FsmEventKind.Notification) { Message = NotificationMessage.Decode(body) });
                break;
            case BgpMessageType.RouteRefresh:
                if (RouteRefreshMessage.Decode(body, out _) is { } error)
                {
                    Fail(peer, error);
                }
                else
                {
                    Dispatch(peer, new(FsmEventKind.RouteRefresh));
                }

                break;
            default:
                Dispatch(peer, new(FsmEventKind.Keepalive));
                break;
        }
    }

    private void Open(int peer, ReadOnlySpan<byte> body)
    {
        Peer p = _peers[peer];
        SessionParameters? agreed = null;
        BgpError? error = OpenMessage.Decode(body, out OpenMessage? open) ?? SessionParameters.Negotiate(p.Options, RouterId, open!, out agreed);
        if (error is not null && p.State.State == SessionState.OpenSent)
        {
            Fail(peer, error);
            return;
        }

        if (p.State.State == SessionState.OpenSent)
        {
            p.Parameters = agreed;
        }

        Dispatch(peer, new(FsmEventKind.Open) { HoldTime = open?.HoldTime ?? 0 });
    }

    private void Update(int peer, ReadOnlySpan<byte> body)
    {
        Peer p = _peers[peer];
        if (p.State.State == SessionState.Established)
        {
            BgpCodecOptions options = p.Parameters!.Receive;
            ErrorAction action = UpdateDecoder.Decode(body, options, _update);
            UpdateChecks.Sound(_update, action, options);
            p.History.Add(UpdateChecks.All(_update));
            if (action == ErrorAction.SessionReset)
            {
                Fail(peer, _update.Errors[^1]);
                return;
            }
        }

        Dispatch(peer, new(FsmEventKind.Update));
    }

    private void Fail(int peer, BgpError error)
    {
        ErrorChecks.Sound(error);
        Dispatch(peer, new(FsmEventKind.MessageError, error.Text) { Message = error.ToNotification() });
    }

    private void Dispatch(int peer, FsmEvent e)
    {
        Peer p = _peers[peer];
        FsmState before = p.State;
        FsmTransition step = Fsm.Step(p.Config, before, e);
        p.State = step.Next;
        p.History.Add(((ulong)step.Next.State << 32) | (uint)step.Actions);
        p.History.Add((ulong)step.Next.HoldTime);
        p.History.Add(step.Reason);
        Check.That(step.Next.HoldTime == 0 || step.Next.HoldTime >= 3, $"hold time {step.Next.HoldTime}");
        Check.That(
            !step.Actions.HasFlag(FsmActions.SessionDown) || before.State == SessionState.Established, $"{before.State} went down by {e.Kind}");
        Check.That(
            step.Actions.HasFlag(FsmActions.SessionUp) == (step.Next.State == SessionState.Established && before.State != SessionState.Established),
            $"{before.State} to {step.Next.State} by {e.Kind} with {step.Actions}");
        Check.That(step.Next.State < SessionState.OpenConfirm || p.Parameters is not null, $"{step.Next.State} without parameters");
        Check.That(
            before.State != SessionState.Established || step.Next.State == SessionState.Established || step.Actions.HasFlag(FsmActions.SessionDown),
            $"Established left for {step.Next.State} by {e.Kind} and the routes stay");
        if (Unexpected(before.State, e.Kind))
        {
            Check.That(
                step.Next.State == SessionState.Idle && step.Actions.HasFlag(FsmActions.SendNotification | FsmActions.CloseConnection)
                    && step.Notification is { Code: BgpErrorCode.Fsm },
                $"{e.Kind} in {before.State} led to {step.Next.State} with {step.Actions}");
        }

        if (step.Actions.HasFlag(FsmActions.DeliverUpdate) && Apply(peer) is { } error)
        {
            Dispatch(peer, new(FsmEventKind.Cease, error.Text) { Message = error.ToNotification() });
            return;
        }

        if (step.Actions.HasFlag(FsmActions.SessionDown))
        {
            _rib.Down(peer);
        }

        if (step.Actions.HasFlag(FsmActions.SendNotification))
        {
            ErrorChecks.Sendable(step.Notification!);
            p.Sent = step.Notification;
            p.History.Add(((ulong)step.Notification!.Code << 8) | step.Notification.Subcode);
        }

        if (step.Actions.HasFlag(FsmActions.CloseConnection))
        {
            p.Closed = true;
            p.Parameters = null;
        }

        p.Reason = step.Reason.Length > 0 ? step.Reason : p.Reason;
    }

    /// <summary>Messages that have no place in a state (RFC 4271 section 8.2.2) and end it with a NOTIFICATION of code 5.</summary>
    private static bool Unexpected(SessionState state, FsmEventKind kind) => state switch
    {
        SessionState.OpenSent => kind is FsmEventKind.Keepalive or FsmEventKind.Update or FsmEventKind.RouteRefresh,
        SessionState.OpenConfirm => kind is FsmEventKind.Open or FsmEventKind.Update or FsmEventKind.RouteRefresh,
        SessionState.Established => kind is FsmEventKind.Open,
        _ => false,
    };

    private BgpError? Apply(int peer)
    {
        Peer p = _peers[peer];
        bool withdraw = _update.Action == ErrorAction.TreatAsWithdraw;
        Take(_update.Withdrawn, IpFamily.IPv4, null, multiprotocol: false);
        if (_update.MpUnreachFamily?.Family is { } unreach)
        {
            Take(_update.MpUnreach, unreach, null, multiprotocol: true);
        }

        Take(_update.Announced, IpFamily.IPv4, withdraw ? null : _update.Attributes, multiprotocol: false);
        if (_update.MpReachFamily?.Family is { } reach)
        {
            Take(_update.MpReach, reach, withdraw ? null : _update.Attributes?.WithNextHop(_update.MpNextHop), multiprotocol: true);
        }

        _rib.Flush(peer);
        return _rib.Count(peer) > MaxPrefix
            ? new BgpError(ErrorAction.SessionReset, BgpErrorCode.Cease, CeaseSubcode.MaxPrefix, "too many routes")
            : null;

        void Take(List<Nlri> list, IpFamily family, PathAttributes? attributes, bool multiprotocol)
        {
            if (!p.Parameters!.Families.Contains(family))
            {
                return;
            }

            bool learn = attributes is not null && !attributes.AsPath.Contains(p.Options.LocalAs);
            ReadOnlySpan<byte> block = learn ? _update.Block(multiprotocol) : default;
            foreach (Nlri nlri in list)
            {
                if (learn)
                {
                    _rib.Announce(peer, nlri, attributes!, block);
                }
                else
                {
                    _rib.Withdraw(peer, nlri);
                }
            }
        }
    }

    private static BgpPeerOptions Options(uint ourAs, uint peerAs) =>
        new() { Name = "peer", RemoteAddress = IPAddress.Loopback, LocalAs = ourAs, PeerAs = peerAs, Passive = true };

    private sealed class Peer(BgpPeerOptions options)
    {
        public Digest History;

        public BgpPeerOptions Options { get; } = options;

        public FsmConfig Config { get; } = new(Passive: true, (ushort)options.HoldTime.TotalSeconds, options.ConnectRetry);

        public FsmState State { get; set; } = Fsm.Initial;

        public SessionParameters? Parameters { get; set; }

        public List<byte> Pending { get; } = [];

        public NotificationMessage? Sent { get; set; }

        public string Reason { get; set; } = "";

        public bool Closed { get; set; }
    }
}
