using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace EgressAppliance.Snmp;

/// <summary>
/// A command generator for one agent over UDP (RFC 3416, RFC 3417), by version 2c with a <see cref="Community"/> (RFC 1901) or by version 3
/// with a <see cref="UsmUser"/> (RFC 3412, RFC 3414).
/// </summary>
/// <remarks>
/// One socket per client and one request in flight: agents on routers serve requests one after the other anyway, and what
/// arrives on the socket can then only be the awaited answer or something to count and ignore. An answer is accepted if it comes
/// from the agent's address and port, has the id of the request and is protected as the version wants; ids are random, so that
/// guessing one from elsewhere fails. Answers to earlier requests (late, or duplicated on the way) are told apart from foreign ones
/// by a short memory of ids sent.
///
/// The socket is not connected, on purpose: a router that answers from another of its addresses would go unseen otherwise, and
/// that is a common cause of "no answer" which <see cref="SnmpResult.Message"/> can then name.
///
/// tooBig is handled here: Get and GetNext are split in halves until they fit, GetBulk asks for fewer repetitions.
/// Timeouts, retries and errors are results, not exceptions; only cancellation throws.
/// </remarks>
public sealed class SnmpClient : IAsyncDisposable
{
    private readonly SnmpClientOptions _options;
    private readonly IMessageModel _model;
    private readonly TimeProvider _time;
    private readonly Socket _socket;
    private readonly IPEndPoint _anyEndPoint;
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private readonly CancellationTokenSource _disposed = new();
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(65536);

    // Set while a request waits: an answer with its id from another address, the usual reason for silence on multi-homed routers.
    private IPEndPoint? _strangeSource;

    private long _requests;
    private long _retries;
    private long _answers;
    private long _timeouts;
    private long _late;
    private long _foreign;
    private long _malformed;
    private long _notAuthentic;

    /// <summary>Opens a socket of the agent's address family on a free port.</summary>
    /// <param name="options">Agent, credentials and timing. A user stays the caller's to dispose.</param>
    /// <param name="time">Clock of the timeouts; the system's by default.</param>
    /// <exception cref="SocketException">The system gives no socket.</exception>
    public SnmpClient(SnmpClientOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.Timeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Retries);
        _options = options;
        _time = time ?? TimeProvider.System;
        _model = options.Credentials switch
        {
            Community community => new CommunityModel(community),
            UsmUser user => new UsmModel(user, options.Agent, _time),
            _ => throw new ArgumentException("unknown kind of credentials", nameof(options)),
        };
        AddressFamily family = options.Agent.AddressFamily;
        _anyEndPoint = new IPEndPoint(family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        _socket = new Socket(family, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            _socket.Bind(_anyEndPoint);
        }
        catch (SocketException)
        {
            _socket.Dispose();
            _model.Dispose();
            throw;
        }
    }

    /// <summary>The agent asked.</summary>
    public IPEndPoint Agent => _options.Agent;

    /// <summary>Counters so far.</summary>
    public SnmpClientStatistics Statistics => new(
        Interlocked.Read(ref _requests),
        Interlocked.Read(ref _retries),
        Interlocked.Read(ref _answers),
        Interlocked.Read(ref _timeouts),
        Interlocked.Read(ref _late),
        Interlocked.Read(ref _foreign),
        Interlocked.Read(ref _malformed),
        Interlocked.Read(ref _notAuthentic));

    /// <summary>Reads variables. A missing one comes as noSuchObject or noSuchInstance in its place.</summary>
    /// <param name="names">The variables; the result has them in this order.</param>
    /// <param name="cancel">Ends the wait.</param>
    public Task<SnmpResult> GetAsync(IReadOnlyList<ObjectIdentifier> names, CancellationToken cancel = default) =>
        AskInPartsAsync(PduType.Get, names, cancel);

    /// <summary>Reads the variable behind each name.</summary>
    /// <param name="names">The names; the result has their successors in this order.</param>
    /// <param name="cancel">Ends the wait.</param>
    public Task<SnmpResult> GetNextAsync(IReadOnlyList<ObjectIdentifier> names, CancellationToken cancel = default) =>
        AskInPartsAsync(PduType.GetNext, names, cancel);

    /// <summary>One GetBulk (RFC 3416 section 4.2.3). The agent may send fewer bindings than asked for.</summary>
    /// <param name="nonRepeaters">How many of the names, from the first, are read once only.</param>
    /// <param name="maxRepetitions">How many successors of each other name.</param>
    /// <param name="names">The names.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task<SnmpResult> GetBulkAsync(
        int nonRepeaters, int maxRepetitions, IReadOnlyList<ObjectIdentifier> names, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentOutOfRangeException.ThrowIfNegative(nonRepeaters);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRepetitions, 1);
        while (true)
        {
            int repetitions = maxRepetitions;
            SnmpResult result = await AskAsync(id => SnmpPdu.Bulk(id, nonRepeaters, repetitions, names), cancel).ConfigureAwait(false);
            if (result.ErrorStatus != SnmpErrorStatus.TooBig || maxRepetitions == 1)
            {
                return result;
            }

            maxRepetitions /= 2;
        }
    }

    /// <summary>
    /// Reads all variables below <paramref name="root"/> by GetBulk. Ends at the first variable outside, at the end of the view,
    /// at <paramref name="maxBindings"/> (<see cref="SnmpOutcome.LimitReached"/>), or when the agent's answers do not go forward
    /// (<see cref="SnmpOutcome.BadAnswer"/>: it would never end).
    /// </summary>
    /// <param name="root">The subtree.</param>
    /// <param name="maxBindings">The most variables kept.</param>
    /// <param name="maxRepetitions">Variables asked for in one request.</param>
    /// <param name="cancel">Ends the walk.</param>
    public async Task<SnmpResult> WalkAsync(
        ObjectIdentifier root, int maxBindings = 100_000, int maxRepetitions = 20, CancellationToken cancel = default)
    {
        List<VarBind> found = [];
        ObjectIdentifier last = root;
        while (true)
        {
            SnmpResult part = await GetBulkAsync(0, maxRepetitions, [last], cancel).ConfigureAwait(false);
            if (part.IsOk && part.Bindings.Count == 0)
            {
                // An agent whose first binding does not fit into a GetBulk answer may still manage a GetNext.
                part = await GetNextAsync([last], cancel).ConfigureAwait(false);
            }

            if (!part.IsOk)
            {
                return part with { Bindings = found };
            }

            foreach (VarBind binding in part.Bindings)
            {
                if (binding.Value.Kind == SnmpValueKind.EndOfMibView || !binding.Name.IsWithin(root))
                {
                    return new SnmpResult { Outcome = SnmpOutcome.Ok, Bindings = found };
                }

                if (binding.Name <= last)
                {
                    return new SnmpResult
                    {
                        Outcome = SnmpOutcome.BadAnswer,
                        Bindings = found,
                        Message = $"{Agent} answered {binding.Name} as successor of {last}: its variables are out of order",
                    };
                }

                if (found.Count == maxBindings)
                {
                    return new SnmpResult
                    {
                        Outcome = SnmpOutcome.LimitReached,
                        Bindings = found,
                        Message = $"{Agent} has more than {maxBindings} variables below {root}",
                    };
                }

                found.Add(binding);
                last = binding.Name;
            }
        }
    }

    /// <summary>Ends waiting requests with <see cref="OperationCanceledException"/> and frees the socket.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed.IsCancellationRequested)
        {
            return;
        }

        await _disposed.CancelAsync().ConfigureAwait(false);
        await _oneAtATime.WaitAsync().ConfigureAwait(false);
        _socket.Dispose();
        _model.Dispose();
    }

    private async Task<SnmpResult> AskInPartsAsync(PduType type, IReadOnlyList<ObjectIdentifier> names, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(names);
        SnmpResult result = await AskAsync(id => SnmpPdu.Request(type, id, names), cancel).ConfigureAwait(false);
        if (result.ErrorStatus != SnmpErrorStatus.TooBig || names.Count < 2)
        {
            return result.IsOk ? Check(type, names, result) : result;
        }

        int half = names.Count / 2;
        SnmpResult first = await AskInPartsAsync(type, [.. names.Take(half)], cancel).ConfigureAwait(false);
        if (!first.IsOk)
        {
            return first;
        }

        SnmpResult second = await AskInPartsAsync(type, [.. names.Skip(half)], cancel).ConfigureAwait(false);
        return second.IsOk ? second with { Bindings = [.. first.Bindings, .. second.Bindings] } : second;
    }

    private SnmpResult Check(PduType type, IReadOnlyList<ObjectIdentifier> names, SnmpResult result)
    {
        bool matches = result.Bindings.Count == names.Count;
        for (int i = 0; matches && type == PduType.Get && i < names.Count; i++)
        {
            matches = result.Bindings[i].Name == names[i];
        }

        return matches
            ? result
            : new SnmpResult { Outcome = SnmpOutcome.BadAnswer, Message = $"{Agent} answered other variables than those asked for" };
    }

    private async Task<SnmpResult> AskAsync(Func<int, SnmpPdu> makeRequest, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(_disposed.IsCancellationRequested, this);
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancel, _disposed.Token);
        await _oneAtATime.WaitAsync(ended.Token).ConfigureAwait(false);
        try
        {
            int id = RandomNumberGenerator.GetInt32(1, int.MaxValue);
            _strangeSource = null;
            Interlocked.Increment(ref _requests);
            _model.Begin(makeRequest(id));
            return await TryAsync(ended.Token).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            return new SnmpResult { Outcome = SnmpOutcome.NetworkError, Message = $"cannot ask {Agent}: {e.Message}" };
        }
        catch (CryptographicException e)
        {
            // A cipher that the system's library has switched off (DES, MD5 in FIPS mode), or a key that it refuses as weak.
            return new SnmpResult
            {
                Outcome = SnmpOutcome.DecryptionError,
                Message = $"this system does not do the user's authentication or privacy protocol ({e.Message}): use SHA-2 and AES",
            };
        }
        finally
        {
            _model.End();
            _oneAtATime.Release();
        }
    }

    private async Task<SnmpResult> TryAsync(CancellationToken cancel)
    {
        Reception? reception = await ExchangeAsync(_options.Retries, cancel).ConfigureAwait(false);
        if (reception == Reception.Answer)
        {
            return Judge(_model.Answer!);
        }

        if (reception == Reception.Failed)
        {
            return _model.Failure!;
        }

        Interlocked.Increment(ref _timeouts);
        while (_model.BeginProbe())
        {
            if (await ExchangeAsync(0, cancel).ConfigureAwait(false) == Reception.Answer)
            {
                _model.ProbeAnswered();
                break;
            }
        }

        return new SnmpResult { Outcome = _model.SilenceOutcome, Message = TimeoutMessage() };
    }

    /// <summary>Sends until there is an answer or a refusal; null if there is none.</summary>
    private async Task<Reception?> ExchangeAsync(int retries, CancellationToken cancel)
    {
        for (int tries = 0; tries <= retries;)
        {
            // Armed before the request leaves: whoever sees the request knows that the clock runs.
            using CancellationTokenSource timeout = new(_options.Timeout, _time);
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancel);
            await _socket.SendToAsync(_model.Next(), SocketFlags.None, Agent, cancel).ConfigureAwait(false);
            try
            {
                Reception reception = await ReceiveAsync(either.Token).ConfigureAwait(false);
                if (reception != Reception.Again)
                {
                    return reception;
                }
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested && timeout.IsCancellationRequested)
            {
                if (++tries <= retries)
                {
                    Interlocked.Increment(ref _retries);
                }
            }
        }

        return null;
    }

    /// <summary>Waits for the answer, for a refusal, or for what makes it necessary to send again.</summary>
    private async Task<Reception> ReceiveAsync(CancellationToken cancel)
    {
        while (true)
        {
            SocketReceiveFromResult received =
                await _socket.ReceiveFromAsync(_buffer, SocketFlags.None, _anyEndPoint, cancel).ConfigureAwait(false);
            ReadOnlyMemory<byte> datagram = _buffer.AsMemory(0, received.ReceivedBytes);
            IPEndPoint source = (IPEndPoint)received.RemoteEndPoint;
            if (!source.Equals(Agent))
            {
                _strangeSource = _model.SeemsAnswer(datagram.Span) ? source : _strangeSource;
                Interlocked.Increment(ref _foreign);
                continue;
            }

            switch (_model.Take(datagram.Span))
            {
                case Reception.Answer:
                    Interlocked.Increment(ref _answers);
                    return Reception.Answer;
                case Reception.Failed:
                    Interlocked.Increment(ref _answers);
                    return Reception.Failed;
                case Reception.Again:
                    return Reception.Again;
                case Reception.Late:
                    Interlocked.Increment(ref _late);
                    break;
                case Reception.Malformed:
                    Interlocked.Increment(ref _malformed);
                    break;
                case Reception.NotAuthentic:
                    Interlocked.Increment(ref _notAuthentic);
                    break;
                default:
                    Interlocked.Increment(ref _foreign);
                    break;
            }
        }
    }

    private SnmpResult Judge(SnmpPdu answer)
    {
        if (answer.ErrorStatus == SnmpErrorStatus.NoError)
        {
            return new SnmpResult { Outcome = SnmpOutcome.Ok, Bindings = answer.Bindings };
        }

        string which = answer.ErrorIndex >= 1 && answer.ErrorIndex <= answer.Bindings.Count
            ? $" for {answer.Bindings[answer.ErrorIndex - 1].Name}"
            : "";
        return new SnmpResult
        {
            Outcome = SnmpOutcome.AgentError,
            ErrorStatus = answer.ErrorStatus,
            Message = $"{Agent} answered error-status {answer.ErrorStatus}{which}"
                + (answer.ErrorStatus == SnmpErrorStatus.AuthorizationError ? ": the agent's access control does not let this community or user, at its level, read" : ""),
        };
    }

    private string TimeoutMessage()
    {
        if (_strangeSource is not null)
        {
            return $"{Agent} does not answer, {_strangeSource} does: the router answers from another address than the one asked";
        }

        string seconds = (_options.Timeout * (_options.Retries + 1)).TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
        string tries = _options.Retries == 0 ? "" : $" ({_options.Retries + 1} tries)";
        return $"no answer from {Agent} in {seconds} s{tries}: {_model.SilenceHint}";
    }
}
