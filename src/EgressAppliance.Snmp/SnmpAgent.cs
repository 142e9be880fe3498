using System.Net;
using System.Net.Sockets;

namespace EgressAppliance.Snmp;

/// <summary>
/// A small read-only SNMPv2c command responder: one UDP endpoint, one community, one <see cref="IMibView"/>.
/// </summary>
/// <remarks>
/// Serves Get, GetNext and GetBulk as RFC 3416 sections 4.2.1 to 4.2.3 say; a Set is answered with noAccess. A datagram of
/// another community or version, or one that cannot be decoded, is dropped and counted, as RFC 3412 section 7.2 wants: an
/// answer would tell a scanner that somebody is here. Requests are served one after the other in order of arrival.
///
/// A response never exceeds <see cref="MaxMessageBytes"/>: Get and GetNext then fail with tooBig and no bindings, GetBulk is cut
/// at the last binding that fits. A view that throws yields genErr for the binding at fault and is counted.
///
/// The responder logic (<see cref="Respond"/>) is a pure function of PDU and view; the socket loop around it is all the rest.
/// </remarks>
public sealed class SnmpAgent : IAsyncDisposable
{
    /// <summary>Largest response by default: an Ethernet frame without fragmentation, IPv6 header included.</summary>
    public const int DefaultMaxMessageBytes = 1452;

    // SEQUENCE, an object identifier of one content byte and an empty value: no binding is shorter, so no message holds more.
    private const int LeastBindingBytes = 7;

    private readonly Socket _socket;
    private readonly CommunityMessage _codec;
    private readonly IMibView _view;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    private long _received;
    private long _answered;
    private long _wrongCommunity;
    private long _unsupportedVersion;
    private long _malformed;
    private long _unexpected;
    private long _viewErrors;
    private long _socketErrors;

    /// <summary>Binds the endpoint and starts to answer.</summary>
    /// <param name="endPoint">Address and UDP port; port 0 takes a free one, see <see cref="LocalEndPoint"/>.</param>
    /// <param name="community">The community accepted.</param>
    /// <param name="view">The variables.</param>
    /// <param name="maxMessageBytes">Largest response, 484 (RFC 3417 section 3.2) to 65507 bytes.</param>
    /// <exception cref="SocketException">The endpoint cannot be bound.</exception>
    public SnmpAgent(IPEndPoint endPoint, Community community, IMibView view, int maxMessageBytes = DefaultMaxMessageBytes)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxMessageBytes, 484);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxMessageBytes, 65507);
        _codec = new CommunityMessage(community);
        _view = view;
        MaxMessageBytes = maxMessageBytes;
        _socket = new Socket(endPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            _socket.Bind(endPoint);
        }
        catch (SocketException)
        {
            _socket.Dispose();
            throw;
        }

        LocalEndPoint = (IPEndPoint)_socket.LocalEndPoint!;
        _loop = Task.Run(ServeAsync);
    }

    /// <summary>The endpoint bound, with the port taken.</summary>
    public IPEndPoint LocalEndPoint { get; }

    /// <summary>Largest response, bytes.</summary>
    public int MaxMessageBytes { get; }

    /// <summary>Counters so far.</summary>
    public SnmpAgentStatistics Statistics => new(
        Interlocked.Read(ref _received),
        Interlocked.Read(ref _answered),
        Interlocked.Read(ref _wrongCommunity),
        Interlocked.Read(ref _unsupportedVersion),
        Interlocked.Read(ref _malformed),
        Interlocked.Read(ref _unexpected),
        Interlocked.Read(ref _viewErrors),
        Interlocked.Read(ref _socketErrors));

    /// <summary>Stops answering and frees the port.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _socket.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        byte[] buffer = GC.AllocateUninitializedArray<byte>(65536);
        EndPoint any = new IPEndPoint(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                SocketReceiveFromResult received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, any, _stop.Token).ConfigureAwait(false);
                Interlocked.Increment(ref _received);
                if (Handle(buffer.AsSpan(0, received.ReceivedBytes)) is { } answer)
                {
                    await _socket.SendToAsync(answer, SocketFlags.None, received.RemoteEndPoint, _stop.Token).ConfigureAwait(false);
                    Interlocked.Increment(ref _answered);
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException)
            {
                // An asker that went away; the next one is not affected.
                Interlocked.Increment(ref _socketErrors);
            }
        }
    }

    private byte[]? Handle(ReadOnlySpan<byte> datagram)
    {
        switch (_codec.Decode(datagram, out SnmpPdu? request))
        {
            case SnmpDecodeStatus.Ok:
                break;
            case SnmpDecodeStatus.WrongCommunity:
                Interlocked.Increment(ref _wrongCommunity);
                return null;
            case SnmpDecodeStatus.UnsupportedVersion:
                Interlocked.Increment(ref _unsupportedVersion);
                return null;
            default:
                Interlocked.Increment(ref _malformed);
                return null;
        }

        if (Respond(request!, _view, MaxMessageBytes / LeastBindingBytes) is not { } response)
        {
            Interlocked.Increment(ref _unexpected);
            return null;
        }

        if (response.ErrorStatus == SnmpErrorStatus.GenErr)
        {
            Interlocked.Increment(ref _viewErrors);
        }

        byte[] answer = _codec.Encode(response);
        if (answer.Length <= MaxMessageBytes)
        {
            return answer;
        }

        return request!.Type == PduType.GetBulk && response.ErrorStatus == SnmpErrorStatus.NoError
            ? Cut(response)
            : _codec.Encode(SnmpPdu.Response(response.RequestId, [], SnmpErrorStatus.TooBig));
    }

    /// <summary>The longest start of the bindings that fits, found by bisection; none if not even the first fits.</summary>
    private byte[] Cut(SnmpPdu response)
    {
        int fits = 0;
        int tooMany = response.Bindings.Count;
        byte[] best = _codec.Encode(response with { Bindings = [] });
        while (tooMany - fits > 1)
        {
            int middle = (fits + tooMany) / 2;
            byte[] candidate = _codec.Encode(response with { Bindings = [.. response.Bindings.Take(middle)] });
            if (candidate.Length <= MaxMessageBytes)
            {
                fits = middle;
                best = candidate;
            }
            else
            {
                tooMany = middle;
            }
        }

        return best;
    }

    /// <summary>The response to a request, or null for a PDU that wants none.</summary>
    /// <param name="request">The request.</param>
    /// <param name="view">The variables.</param>
    /// <param name="maxBindings">A GetBulk stops after the repetition that reaches this number.</param>
    public static SnmpPdu? Respond(SnmpPdu request, IMibView view, int maxBindings = 65507 / LeastBindingBytes)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(view);
        if (request.Type == PduType.Set)
        {
            return SnmpPdu.Response(request.RequestId, request.Bindings, SnmpErrorStatus.NoAccess, request.Bindings.Count == 0 ? 0 : 1);
        }

        if (request.Type is not (PduType.Get or PduType.GetNext or PduType.GetBulk))
        {
            return null;
        }

        List<VarBind> answers = [];
        int index = 0;
        try
        {
            if (request.Type == PduType.GetBulk)
            {
                AnswerBulk(request, view, maxBindings, answers, ref index);
            }
            else
            {
                foreach (VarBind asked in request.Bindings)
                {
                    index++;
                    answers.Add(request.Type == PduType.Get ? asked with { Value = view.Get(asked.Name) } : Next(view, asked.Name));
                }
            }
        }
#pragma warning disable CA1031 // The view is the caller's code: whatever it throws is a genErr of this one request (RFC 3416 section 4.2).
        catch (Exception)
#pragma warning restore CA1031
        {
            return SnmpPdu.Response(request.RequestId, request.Bindings, SnmpErrorStatus.GenErr, index);
        }

        return SnmpPdu.Response(request.RequestId, answers);
    }

    private static void AnswerBulk(SnmpPdu request, IMibView view, int maxBindings, List<VarBind> answers, ref int index)
    {
        int nonRepeaters = Math.Clamp(request.NonRepeaters, 0, request.Bindings.Count);
        foreach (VarBind asked in request.Bindings.Take(nonRepeaters))
        {
            index++;
            answers.Add(Next(view, asked.Name));
        }

        ObjectIdentifier[] names = [.. request.Bindings.Skip(nonRepeaters).Select(binding => binding.Name)];
        bool more = names.Length > 0;

        for (int repetition = 0; more && repetition < request.MaxRepetitions && answers.Count < maxBindings; repetition++)
        {
            more = false;
            for (int i = 0; i < names.Length; i++)
            {
                index = nonRepeaters + i + 1;
                VarBind next = Next(view, names[i]);
                more |= next.Value.Kind != SnmpValueKind.EndOfMibView;
                names[i] = next.Name;
                answers.Add(next);
            }
        }
    }

    private static VarBind Next(IMibView view, ObjectIdentifier name) => view.Next(name) ?? new VarBind(name, SnmpValue.EndOfMibView);
}
