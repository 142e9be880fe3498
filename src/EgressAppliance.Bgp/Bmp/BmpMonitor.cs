using System.Security.Cryptography;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>Why the station ends a connection.</summary>
/// <param name="Reason">In words.</param>
/// <param name="Limit">A limit was exceeded.</param>
internal sealed record BmpEnd(string Reason, bool Limit = false);

/// <summary>
/// What one router's messages mean: which peers are up, which tables they have, and what the listener is told. Knows no sockets and no threads; the
/// same messages give the same calls.
/// </summary>
/// <remarks>
/// <para>Errors by consequence: a message that cannot be read is counted and passed over, since its length says where the next one begins. If it was an UPDATE, routes
/// may have been withdrawn by it that would now be held for ever; so the whole table of that peer is taken down and not used again
/// until the peer or the connection comes up anew. What RFC 7606 treats as withdraw is passed on as that.</para>
/// <para>Put right, and counted (<see cref="BmpOddities"/>): FRR builds Adj-RIB-In messages with the function that builds UPDATEs for a peer, which puts the router's own
/// AS in front of the AS_PATH. No external peer sends a path that begins with the router's AS, so that AS is taken off; in Adj-RIB-Out and Loc-RIB it may
/// belong there and stays. FRR tells of peers that go down without having been up. GoBGP sends its Loc-RIB without a Peer Up.</para>
/// </remarks>
internal sealed class BmpMonitor(BmpRouterOptions router, IBmpListener listener, BmpSourcePool pool, TimeProvider time)
{
    private readonly Dictionary<BmpPeerId, MonitoredPeer> _peers = [];
    private readonly Dictionary<BmpMessageType, long> _messages = [];
    private readonly Dictionary<BmpErrorKind, long> _malformed = [];
    private readonly UpdateMessage _update = new();
    private byte[] _scratch = [];
    private BmpOddities _oddities = new();
    private string? _sysName;
    private string? _sysDescr;
    private string? _lastMalformed;
    private long _routes;
    private long _ownAsRemoved;
    private long _otherFamilies;

    /// <summary>A new connection: nothing is known yet.</summary>
    public void Begin() => listener.ConnectionUp(router);

    /// <summary>The connection ended: everything of it is void.</summary>
    public void End(string reason)
    {
        MonitoredPeer[] peers = [.. _peers.Values];
        _peers.Clear();
        _sysName = null;
        _sysDescr = null;
        foreach (MonitoredPeer peer in peers)
        {
            if (peer.IsUp)
            {
                TakeDown(peer, reason);
            }
        }

        listener.ConnectionDown(router, reason);
    }

    /// <summary>Counts a header that ends the connection.</summary>
    public void CountMalformed(BmpError error)
    {
        _malformed[error.Kind] = _malformed.GetValueOrDefault(error.Kind) + 1;
        _lastMalformed = error.Text;
    }

    /// <summary>Takes one whole message, common header included. Returns why the connection must end, or null.</summary>
    public BmpEnd? Process(BmpMessageType type, ReadOnlySpan<byte> message)
    {
        // A type of the router's invention must not make the table grow for each of 256 values; there is one entry for all of them.
        BmpMessageType counted = type <= BmpMessageType.RouteMirroring ? type : (BmpMessageType)byte.MaxValue;
        _messages[counted] = _messages.GetValueOrDefault(counted) + 1;
        ReadOnlySpan<byte> body = message[BmpConstants.HeaderLength..];
        BmpEnd? end = null;
        BmpError? error = type switch
        {
            BmpMessageType.RouteMonitoring => OnRouteMonitoring(body, ref end),
            BmpMessageType.PeerUp => OnPeerUp(body, ref end),
            BmpMessageType.PeerDown => OnPeerDown(body),
            BmpMessageType.StatisticsReport => OnStatistics(body),
            BmpMessageType.RouteMirroring => OnMirroring(body),
            BmpMessageType.Initiation => OnInitiation(body),
            BmpMessageType.Termination => OnTermination(body, ref end),
            _ => new(BmpErrorKind.MessageType, $"message type {(byte)type} is not defined"),
        };
        if (error is not null)
        {
            CountMalformed(error);
        }

        return end;
    }

    /// <summary>Fills in what a status tells of the messages.</summary>
    public BmpRouterStatus AddTo(BmpRouterStatus status, TimeSpan quietTime)
    {
        var routes = new Dictionary<BmpTable, long>();
        bool anyRoutes = false;
        bool prePolicy = false;
        foreach (MonitoredPeer peer in _peers.Values)
        {
            for (int i = 0; i < MonitoredPeer.TableCount; i++)
            {
                if (peer.Tables[i] is { } table)
                {
                    Recount(table);
                    routes[(BmpTable)i] = routes.GetValueOrDefault((BmpTable)i) + table.Routes;
                    anyRoutes |= table.Announced;
                }
            }

            prePolicy |= peer.HadRoutes(BmpTable.AdjRibInPrePolicy);
        }

        // A router that shows other tables only is not expected to show this one.
        bool expected = prePolicy || !anyRoutes;
        DateTimeOffset now = time.GetUtcNow();
        var peers = new List<BmpPeerStatus>(_peers.Count);
        foreach (MonitoredPeer peer in _peers.Values)
        {
            bool quiet = expected && peer.IsUp && peer.Peer.Id.Type != BmpPeerType.LocRibInstance && now - peer.Since >= quietTime
                && !peer.HadRoutes(BmpTable.AdjRibInPrePolicy) && !peer.HadRoutes(BmpTable.AdjRibInPostPolicy);
            peers.Add(peer.ToStatus(quiet ? "the router sends no pre-policy routes of this peer: FRR needs `soft-reconfiguration inbound` for it" : null));
        }

        return status with
        {
            SysName = _sysName,
            SysDescr = _sysDescr,
            Messages = new Dictionary<BmpMessageType, long>(_messages),
            Malformed = new Dictionary<BmpErrorKind, long>(_malformed),
            LastMalformed = _lastMalformed,
            Oddities = _oddities with { OwnAsRemoved = _ownAsRemoved, OtherFamilies = _otherFamilies },
            Routes = routes,
            Peers = peers,
        };
    }

    private BmpError? OnInitiation(ReadOnlySpan<byte> body)
    {
        BmpError? error = BmpInitiation.Decode(body, out BmpInitiation? message);
        _sysName = message?.SysName ?? _sysName;
        _sysDescr = message?.SysDescr ?? _sysDescr;
        return error;
    }

    private static BmpError? OnTermination(ReadOnlySpan<byte> body, ref BmpEnd? end)
    {
        BmpError? error = BmpTermination.Decode(body, out BmpTermination? message);
        end = new(message is null ? "the router ends the connection" : $"the router ends the connection: {message}");
        return error;
    }

    private BmpError? OnPeerUp(ReadOnlySpan<byte> body, ref BmpEnd? end)
    {
        var reader = new BgpReader(body);
        if (BmpPeerHeader.Read(ref reader, out BmpPeerHeader header) is { } headerError)
        {
            return headerError;
        }

        BmpError? error = BmpPeerUp.Decode(header, reader.Rest, out BmpPeerUp? message);
        _peers.TryGetValue(header.Id, out MonitoredPeer? known);
        if (message is null)
        {
            // Something came up that we cannot follow; what was known of the peer is of a session that is over.
            if (known is { IsUp: true })
            {
                TakeDown(known, "its Peer Up cannot be read");
            }

            return error;
        }

        byte[] session = SHA256.HashData(reader.Rest[..message.SessionLength]);
        if (known is { IsUp: true })
        {
            if (known.Session.AsSpan().SequenceEqual(session))
            {
                _oddities = _oddities with { NeedlessPeerUp = _oddities.NeedlessPeerUp + 1 };
                return null;
            }

            TakeDown(known, "the peer came up again with another session");
        }

        BmpPeerCodec codec = BmpPeerCodec.From(message);
        end = Add(new(router, header.Id, header.As, header.BgpId, codec.RouterAs, message.TableName), codec, session, out _);
        return null;
    }

    private BmpEnd? Add(BmpPeer peer, BmpPeerCodec codec, byte[] session, out MonitoredPeer? added)
    {
        added = null;
        if (_peers.Count >= router.MaxPeers && !_peers.ContainsKey(peer.Id) && !ForgetOneThatIsDown())
        {
            return new($"more than {router.MaxPeers} monitored peers", Limit: true);
        }

        added = new(peer, codec, session, time.GetUtcNow());
        _peers[peer.Id] = added;
        listener.PeerUp(peer);
        return null;
    }

    private bool ForgetOneThatIsDown()
    {
        foreach ((BmpPeerId id, MonitoredPeer peer) in _peers)
        {
            if (!peer.IsUp)
            {
                return _peers.Remove(id);
            }
        }

        return false;
    }

    private BmpError? OnPeerDown(ReadOnlySpan<byte> body)
    {
        var reader = new BgpReader(body);
        if (BmpPeerHeader.Read(ref reader, out BmpPeerHeader header) is { } headerError)
        {
            return headerError;
        }

        BmpError? error = BmpPeerDown.Decode(reader.Rest, out BmpPeerDown? message);
        if (_peers.TryGetValue(header.Id, out MonitoredPeer? peer) && peer.IsUp)
        {
            // Down is down, whatever is wrong with the reason.
            TakeDown(peer, message?.ToString() ?? "the peer is down; the reason cannot be read");
        }
        else
        {
            _oddities = _oddities with { NeedlessPeerDown = _oddities.NeedlessPeerDown + 1 };
        }

        return error;
    }

    private BmpError? OnStatistics(ReadOnlySpan<byte> body)
    {
        var reader = new BgpReader(body);
        BmpError? error = BmpPeerHeader.Read(ref reader, out BmpPeerHeader header) ?? BmpStatistics.Decode(reader.Rest, out BmpStatistics? message)
            ?? Keep(header.Id, message!);
        return error;
    }

    private BmpError? Keep(BmpPeerId id, BmpStatistics message)
    {
        if (_peers.TryGetValue(id, out MonitoredPeer? peer))
        {
            peer.Keep(message);
        }
        else
        {
            CountWithoutPeerUp();
        }

        return null;
    }

    private BmpError? OnMirroring(ReadOnlySpan<byte> body)
    {
        var reader = new BgpReader(body);
        if (BmpPeerHeader.Read(ref reader, out BmpPeerHeader header) is { } headerError)
        {
            return headerError;
        }

        BmpError? error = BmpRouteMirroring.Decode(reader.Rest, out BmpRouteMirroring? message);
        if (!_peers.ContainsKey(header.Id))
        {
            CountWithoutPeerUp();
        }

        // Mirrored messages are copies for a person to look at; the tables are kept by Route Monitoring alone.
        _oddities = message is { MessagesLost: true } ? _oddities with { MirroringLost = _oddities.MirroringLost + 1 } : _oddities;
        return error;
    }

    private BmpError? OnRouteMonitoring(ReadOnlySpan<byte> body, ref BmpEnd? end)
    {
        var reader = new BgpReader(body);
        if (BmpPeerHeader.Read(ref reader, out BmpPeerHeader header) is { } headerError)
        {
            return headerError;
        }

        MonitoredPeer? peer = FindForRoutes(header, ref end);
        if (peer is null || peer.Tables[(int)header.Table]?.Fault is not null)
        {
            return null;
        }

        if (ReadUpdateHeader(reader.Rest, out ReadOnlySpan<byte> update) is { } bgpError)
        {
            end = Distrust(peer, header.Table, bgpError.Text);
            return bgpError;
        }

        BgpCodecOptions options = peer.Codec.OptionsFor(header, update, out bool corrected);
        _oddities = corrected ? _oddities with { AsSizeCorrected = _oddities.AsSizeCorrected + 1 } : _oddities;
        update = WithoutOwnAs(peer, header, update, options.FourOctetAs);
        ErrorAction action = UpdateDecoder.Decode(update, options, _update);
        peer.UpdateErrors += action == ErrorAction.None ? 0 : 1;
        if (action == ErrorAction.SessionReset)
        {
            string text = _update.Errors[^1].Text;
            end = Distrust(peer, header.Table, text);
            return new(BmpErrorKind.Update, text);
        }

        end = Deliver(peer, header.Table);
        return null;
    }

    private MonitoredPeer? FindForRoutes(in BmpPeerHeader header, ref BmpEnd? end)
    {
        if (_peers.TryGetValue(header.Id, out MonitoredPeer? peer))
        {
            if (!peer.IsUp)
            {
                CountWithoutPeerUp();
                return null;
            }

            return peer;
        }

        CountWithoutPeerUp();
        if (header.IsLocRib)
        {
            // There is no session whose OPENs one would have to know.
            end = Add(new(router, header.Id, header.As, header.BgpId, header.As, null), BmpPeerCodec.Unknown, [], out peer);
        }

        return peer;
    }

    /// <summary>Checks that a Route Monitoring message holds exactly one UPDATE, and gives its body.</summary>
    internal static BmpError? ReadUpdateHeader(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> update)
    {
        update = default;
        var options = new BgpCodecOptions { ExtendedMessage = true };
        if (!BgpFramer.TryReadHeader(message, options, out BgpMessageType type, out int length, out BgpError? error))
        {
            return new(BmpErrorKind.Truncated, "a Route Monitoring message ends within its UPDATE");
        }

        if (error is not null || type != BgpMessageType.Update)
        {
            return new(BmpErrorKind.BgpHeader, $"the UPDATE of a Route Monitoring message: {error?.Text ?? $"a message of type {(byte)type} stands there"}");
        }

        if (length != message.Length)
        {
            return new(BmpErrorKind.Excess, $"{message.Length - length} octets after the UPDATE of a Route Monitoring message");
        }

        update = message[BgpConstants.HeaderLength..];
        return null;
    }

    private ReadOnlySpan<byte> WithoutOwnAs(MonitoredPeer peer, scoped in BmpPeerHeader header, ReadOnlySpan<byte> update, bool fourOctet)
    {
        if (header.IsLocRib || header.IsAdjRibOut || peer.Codec.RouterAs == 0 || !peer.Codec.IsExternal)
        {
            return update;
        }

        if (_scratch.Length < update.Length)
        {
            _scratch = GC.AllocateUninitializedArray<byte>(update.Length <= BgpConstants.MaxMessageLength ? BgpConstants.MaxMessageLength : BgpConstants.MaxExtendedMessageLength);
        }

        int length = AsPathOctets.RemoveFirst(update, peer.Codec.RouterAs, fourOctet, _scratch);
        if (length == 0)
        {
            return update;
        }

        _ownAsRemoved++;
        return _scratch.AsSpan(0, length);
    }

    private BmpEnd? Deliver(MonitoredPeer peer, BmpTable kind)
    {
        MonitoredTable table = peer.Table(kind);
        if (_update.EndOfRib is { Family: { } family })
        {
            BmpEnd? end = Open(peer, kind, table);
            if (end is null)
            {
                if (!table.EndOfRib.Contains(family))
                {
                    table.EndOfRib.Add(family);
                }

                listener.EndOfRib(table.Source!, family);
            }

            return end;
        }

        bool announces = _update.Announced.Count > 0 || _update.MpReach.Count > 0;
        if (!announces && _update.Withdrawn.Count == 0 && _update.MpUnreach.Count == 0)
        {
            _otherFamilies++;
            return null;
        }

        if (!announces && table.Source is null)
        {
            // Nothing was ever announced here: FRR's way to show our own override, which it does not keep, is a withdrawal.
            return null;
        }

        if (Open(peer, kind, table) is { } full)
        {
            return full;
        }

        table.Updates++;
        table.Announced |= announces;
        listener.Routes(table.Source!, _update);
        Recount(table);
        return _routes > router.MaxRoutes ? new($"more than {router.MaxRoutes} routes", Limit: true) : null;
    }

    private BmpEnd? Open(MonitoredPeer peer, BmpTable kind, MonitoredTable table)
    {
        if (table.Source is not null)
        {
            return null;
        }

        if (!pool.TryTake(out int handle))
        {
            return new("more tables of peers than there are handles for", Limit: true);
        }

        table.Source = new(handle, peer.Peer, kind);
        listener.SourceUp(table.Source);
        return null;
    }

    /// <summary>Gives a table up. One of which nothing was shown yet is opened for it, or the listener would not know that its routes are missing.</summary>
    private BmpEnd? Distrust(MonitoredPeer peer, BmpTable kind, string text)
    {
        MonitoredTable table = peer.Table(kind);
        if (Open(peer, kind, table) is { } full)
        {
            return full;
        }

        table.Fault = $"an UPDATE could not be read: {text}";
        Close(table, table.Fault);
        return null;
    }

    private void TakeDown(MonitoredPeer peer, string reason)
    {
        foreach (MonitoredTable? table in peer.Tables)
        {
            if (table is not null)
            {
                Close(table, reason);
            }
        }

        peer.MarkDown(reason, time.GetUtcNow());
        listener.PeerDown(peer.Peer, reason);
    }

    private void Recount(MonitoredTable table)
    {
        long held = table.Source is { } source ? listener.Held(source) : 0;
        _routes += held - table.Routes;
        table.Routes = held;
    }

    private void Close(MonitoredTable table, string reason)
    {
        if (table.Source is { } source)
        {
            _routes -= table.Routes;
            table.Routes = 0;
            table.Source = null;
            table.EndOfRib.Clear();
            listener.SourceDown(source, reason);
            pool.Return(source.Handle);
        }
    }

    private void CountWithoutPeerUp() => _oddities = _oddities with { WithoutPeerUp = _oddities.WithoutPeerUp + 1 };
}
