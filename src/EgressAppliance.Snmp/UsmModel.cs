using System.Globalization;
using System.Net;
using System.Security.Cryptography;

namespace EgressAppliance.Snmp;

/// <summary>
/// Version 3 with the user-based security model, for one user and one agent (RFC 3412, RFC 3414).
/// </summary>
/// <remarks>
/// A first request is preceded by a message that asks for the agent's engine ID. Its answer is believed by nobody: it only makes a
/// candidate, which counts from its first authentic message on; until then, and if that does not come, the engine known before stays. The
/// clock of an engine is taken from authentic messages alone, so that the first request goes out with zeros and is answered by an
/// authenticated Report with the agent's clock, and a restarted agent is followed the same way.
///
/// A message counts if its msgID is one of the tries of the request that waits; ids are random. A Response must have the level of the
/// request and its context. Reports without authentication are taken where an agent cannot do better (RFC 3414 section 3.2): they end the
/// request that waits and change nothing else. notInTimeWindows must be authentic.
///
/// Agents drop without a word what they cannot decipher and what is for a context they do not have (net-snmp does). So silence is followed,
/// once, by questions without variables: in the default context, then without privacy. An answer names the reason.
/// </remarks>
internal sealed class UsmModel(UsmUser user, IPEndPoint agent, TimeProvider time, Func<ulong>? random = null) : IMessageModel
{
    // Discovery and one synchronization are usual, a second one follows a restart at a bad moment.
    private const int MostDiscoveries = 2;
    private const int MostSynchronizations = 2;

    private static readonly ObjectIdentifier UsmStats = ObjectIdentifier.Parse("1.3.6.1.6.3.15.1.1");
    private static readonly ObjectIdentifier UnavailableContexts = ObjectIdentifier.Parse("1.3.6.1.6.3.12.1.4");
    private static readonly ObjectIdentifier UnknownContexts = ObjectIdentifier.Parse("1.3.6.1.6.3.12.1.5");

    private readonly RecentIds _earlier = new();
    private readonly List<int> _ids = [];
    private SnmpPdu _request = SnmpPdu.Request(PduType.Get, 0, []);
    private Engine? _engine = user.EngineId is { } given ? new Engine(given, user.Localize(given), new EngineClock(time)) : null;
    private Engine? _candidate;
    private int _discoveries;
    private int _synchronizations;
    private bool _unprovenTime;
    private int _notAuthentic;
    private SecurityLevel _level;
    private string _context = "";

    // Probes made since the last answer, and what they told.
    private int _probes;
    private (SnmpOutcome Outcome, string Hint)? _reason;

    // RFC 3826 section 3.1.1.1 and RFC 3414 section 8.1.1.1: counted on from a random start, so that no process uses a salt of another.
    private ulong _salt = (random ?? Random)();

    public SnmpPdu? Answer { get; private set; }

    public SnmpResult? Failure { get; private set; }

    public SnmpOutcome SilenceOutcome => _reason?.Outcome ?? (_unprovenTime ? SnmpOutcome.NotInTimeWindow : SnmpOutcome.Timeout);

    public string SilenceHint =>
        _reason is { } reason ? reason.Hint
        : _unprovenTime ? "it says that the request is not in its time window, but does not prove it with the user's key: it cannot be synchronized with"
        : _notAuthentic > 0
            ? $"{_notAuthentic.ToString(CultureInfo.InvariantCulture)} answers had a wrong digest or were not protected as {user.Level} wants: the agent's key is another one, or somebody forges answers"
        : user.Level == SecurityLevel.AuthPriv ? "wrong address, access list or view, or another privacy password or protocol than the agent's"
        : "wrong address, access list or view";

    private Engine? Current => _candidate ?? _engine;

    /// <remarks>Without an engine that has proven itself there is nothing to be told apart: nobody may be there.</remarks>
    public bool BeginProbe()
    {
        if (Current is not { } engine || (user.Level != SecurityLevel.NoAuthNoPriv && !engine.Clock.IsKnown))
        {
            return false;
        }

        while (_probes < 2)
        {
            _probes++;
            bool context = _probes == 1;
            if (context ? user.ContextName.Length > 0 : user.Level == SecurityLevel.AuthPriv)
            {
                _request = _request with { Type = PduType.Get, ErrorStatus = SnmpErrorStatus.NoError, ErrorIndex = 0, Bindings = [] };
                _level = context ? user.Level : SecurityLevel.AuthNoPriv;
                _context = "";
                return true;
            }
        }

        return false;
    }

    public void ProbeAnswered()
    {
        // It was no answer to what the caller asked: the next silence is not a new one, and its reason is known.
        _probes = 2;
        Answer = null;
        _reason = _level == user.Level
            ? (SnmpOutcome.UnknownContext, $"it answers in the default context but not in '{user.ContextName}': correct the context, or leave it out")
            : (SnmpOutcome.DecryptionError, $"it answers without privacy but not with it: compare the privacy password and the protocol ({user.Privacy}) of user '{user.Name}' on both sides");
    }

    public void Begin(SnmpPdu request)
    {
        _request = request;
        _level = user.Level;
        _context = user.ContextName;
        _discoveries = _synchronizations = _notAuthentic = 0;
        _unprovenTime = false;
        Answer = null;
        Failure = null;
    }

    public byte[] Next()
    {
        int id = (int)((random ?? Random)() & int.MaxValue);
        _ids.Add(id);
        if (Current is not { } engine)
        {
            // RFC 3414 section 4: no engine ID, no user, no variables.
            return UsmDatagram.Encode(
                new UsmHeader { MessageId = id, Reportable = true }, new ScopedPdu(default, "", SnmpPdu.Request(PduType.Get, _request.RequestId, [])));
        }

        UsmHeader header = new()
        {
            MessageId = id,
            Reportable = true,
            Level = _level,
            EngineId = engine.Id,
            Boots = engine.Clock.Boots,
            Time = engine.Clock.Time,
            UserName = user.Name,
        };
        return UsmDatagram.Encode(header, new ScopedPdu(engine.Id, _context, _request), engine.Keys, unchecked(_salt++));
    }

    public Reception Take(ReadOnlySpan<byte> datagram)
    {
        if (UsmDatagram.TryRead(datagram, out UsmDatagram message) != SnmpDecodeStatus.Ok)
        {
            return Reception.Malformed;
        }

        UsmHeader header = message.Header;
        if (!_ids.Contains(header.MessageId))
        {
            return _earlier.Contains(header.MessageId) ? Reception.Late : Reception.Foreign;
        }

        bool authentic = header.Level != SecurityLevel.NoAuthNoPriv;
        Engine? engine = Current;
        if (authentic && (engine is null || header.EngineId != engine.Id || header.UserName != user.Name || !message.IsAuthentic(engine.Keys)))
        {
            return NotAuthentic();
        }

        if (authentic)
        {
            Keep(engine!);
            if (!engine!.Clock.Take(header.Boots, header.Time))
            {
                return Fail(SnmpOutcome.NotInTimeWindow, ClockMessage(engine.Clock, header));
            }
        }

        if (message.Open(engine?.Keys, out ScopedPdu? scoped) != SnmpDecodeStatus.Ok)
        {
            return Reception.Malformed;
        }

        return scoped!.Pdu.Type switch
        {
            PduType.Report => TakeReport(header, authentic, scoped.Pdu),
            PduType.Response => TakeResponse(header, scoped),
            _ => Reception.Malformed,
        };
    }

    public bool SeemsAnswer(ReadOnlySpan<byte> datagram) =>
        UsmDatagram.TryRead(datagram, out UsmDatagram message) == SnmpDecodeStatus.Ok && _ids.Contains(message.Header.MessageId);

    public void End()
    {
        _probes = Answer is null ? _probes : 0;
        foreach (int id in _ids)
        {
            _earlier.Add(id);
        }

        _ids.Clear();
        _candidate?.Keys.Dispose();
        _candidate = null;
    }

    public void Dispose()
    {
        End();
        _engine?.Keys.Dispose();
    }

    private Reception TakeResponse(UsmHeader header, ScopedPdu scoped)
    {
        // RFC 3412 section 7.2 step 10: all of it as in the request.
        if (header.Level != _level)
        {
            return NotAuthentic();
        }

        if (Current is not { } engine || header.EngineId != engine.Id || header.UserName != user.Name
            || scoped.Pdu.RequestId != _request.RequestId || scoped.ContextEngineId != engine.Id || scoped.ContextName != _context)
        {
            return Reception.Foreign;
        }

        Keep(engine);
        Answer = scoped.Pdu;
        _reason = null;
        return Reception.Answer;
    }

    private Reception TakeReport(UsmHeader header, bool authentic, SnmpPdu report)
    {
        ObjectIdentifier what = report.Bindings.Count > 0 ? report.Bindings[0].Name : default;
        if (what.IsWithin(UnknownContexts) || what.IsWithin(UnavailableContexts))
        {
            return Fail(SnmpOutcome.UnknownContext, $"{agent} has no context '{user.ContextName}': correct the context, or leave it out for the default one");
        }

        uint which = what.IsWithin(UsmStats) && what.Length > UsmStats.Length ? what[UsmStats.Length] : 0;
        return which switch
        {
            1 => Fail(
                SnmpOutcome.UnsupportedSecurityLevel,
                $"{agent} does not serve user '{user.Name}' at {user.Level}: create the user there with {Wanted()}, or ask with what it was created with"),
            2 => TakeNotInTimeWindow(authentic),
            3 => Fail(SnmpOutcome.UnknownUser, $"{agent} has no user '{user.Name}': create the user there, or correct the name"),
            4 => TakeUnknownEngine(header),
            5 => Fail(
                SnmpOutcome.WrongDigest,
                $"{agent} has another authentication key for user '{user.Name}': compare the password and the protocol ({user.Authentication}) on both sides"),
            6 => Fail(
                SnmpOutcome.DecryptionError,
                $"{agent} could not decipher the request of user '{user.Name}': compare the privacy password and the protocol ({user.Privacy}) on both sides"),
            _ => Fail(SnmpOutcome.BadAnswer, $"{agent} refuses the request with a report of {what}"),
        };
    }

    private Reception TakeNotInTimeWindow(bool authentic)
    {
        if (!authentic)
        {
            _unprovenTime = true;
            return NotAuthentic();
        }

        return ++_synchronizations <= MostSynchronizations
            ? Reception.Again
            : Fail(
                SnmpOutcome.NotInTimeWindow,
                $"{agent} says that requests are not in its time window although they carry its own clock ({Clock(Current!.Clock)}): its clock jumps, or several agents share the address and the engine ID; restart the agent");
    }

    private Reception TakeUnknownEngine(UsmHeader header)
    {
        if (user.EngineId is { } given)
        {
            return Fail(
                SnmpOutcome.WrongEngineId,
                $"{agent} does not have the engine ID {given}{(header.EngineId.IsUsable ? $" but {header.EngineId}" : "")}: correct it, or leave it out and it is asked for");
        }

        if (!header.EngineId.IsUsable || header.EngineId == Current?.Id || ++_discoveries > MostDiscoveries)
        {
            return Fail(
                SnmpOutcome.WrongEngineId,
                $"{agent} gives {header.EngineId} for its engine ID and does not accept that: set an engine ID of {EngineId.MinLength} to {EngineId.MaxLength} octets on the router");
        }

        _candidate?.Keys.Dispose();
        _candidate = new Engine(header.EngineId, user.Localize(header.EngineId), new EngineClock(time));
        return Reception.Again;
    }

    /// <summary>From now on this is the agent's engine.</summary>
    private void Keep(Engine engine)
    {
        if (engine == _candidate)
        {
            _engine?.Keys.Dispose();
            _engine = engine;
            _candidate = null;
        }
    }

    private Reception NotAuthentic()
    {
        _notAuthentic++;
        return Reception.NotAuthentic;
    }

    private Reception Fail(SnmpOutcome outcome, string message)
    {
        Failure = new SnmpResult { Outcome = outcome, Message = message };
        return Reception.Failed;
    }

    private static ulong Random() => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));

    private string Wanted() => user.Level switch
    {
        SecurityLevel.AuthPriv => $"{user.Authentication} and {user.Privacy}",
        SecurityLevel.AuthNoPriv => user.Authentication.ToString(),
        _ => "access without authentication",
    };

    private string ClockMessage(EngineClock known, UsmHeader header) => known.Boots == EngineClock.LastBoots
        ? $"{agent} has used up its boots counter and no message is in its time window any more: give it a new engine ID"
        : $"{agent} has gone back in time (boots {header.Boots}, {header.Time} s, after {Clock(known)}): it lost its boots counter; give it a new engine ID, or restart this program";

    private static string Clock(EngineClock clock) => $"boots {clock.Boots}, {clock.Time} s";

    private sealed record Engine(EngineId Id, LocalizedKeys Keys, EngineClock Clock);
}
