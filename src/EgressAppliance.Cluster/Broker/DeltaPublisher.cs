using EgressAppliance.Cluster.Deltas;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace EgressAppliance.Cluster.Broker;

/// <summary>
/// A collector's way to the controllers.
/// </summary>
/// <remarks>
/// <see cref="Publish"/> encodes, puts into a bounded buffer and returns; a loop of its own sends, oldest first, one at a time, and takes a tick out of the buffer when the broker has
/// confirmed it, that is when a majority of the queues' nodes has it. So nothing is lost while a broker restarts, order is kept, and what is not confirmed is sent again: a controller
/// knows what it has seen by run and sequence. Where the broker answers but one of its queues does not, so that confirmations stay away, ticks are sent on for the sake of the other
/// queues, and counted. When the buffer is full the oldest tick goes and is counted, since the newest is what is decided on.
/// </remarks>
public sealed class DeltaPublisher : BrokerLoop
{
    private const string NoQueue = "no controller has a queue at the broker: start one, it makes its own";
    private const string NotConfirmed = "the broker does not confirm: a controller's queue there does not answer; if that controller is gone for good, delete its queue";

    /// <summary>How long a confirmation is waited for while those before it did not come, though the broker answers.</summary>
    private static readonly TimeSpan ShortPatience = TimeSpan.FromMilliseconds(250);
    private readonly LinkedList<byte[]> _waiting = [];
    private readonly SemaphoreSlim _signal = new(0, 1);
    private long _waitingBytes;

    /// <summary>The tick whose confirmation did not come the last time, or which was refused.</summary>
    private byte[]? _refused;

    /// <summary>A publisher that is ready to start.</summary>
    /// <param name="options">The brokers, and the bounds.</param>
    /// <param name="time">The clock of pauses.</param>
    /// <param name="logger">Where to log.</param>
    public DeltaPublisher(BrokerOptions options, TimeProvider time, ILogger<DeltaPublisher> logger)
        : base(options, time, logger)
    {
    }

    /// <summary>How it is doing. Any thread.</summary>
    public BrokerStatus Status
    {
        get
        {
            lock (Gate)
            {
                return Kept with { Waiting = _waiting.Count, WaitingBytes = _waitingBytes };
            }
        }
    }

    /// <summary>Takes a delta to be sent. Any thread; does not wait.</summary>
    public void Publish(TrafficDelta delta)
    {
        byte[] message = DeltaCodec.Encode(delta);
        long dropped = 0;
        int waiting;
        lock (Gate)
        {
            _waiting.AddLast(message);
            _waitingBytes += message.Length;
            while (_waiting.Count > 1 && (_waiting.Count > Options.MaxBufferedTicks || _waitingBytes > Options.MaxBufferedBytes))
            {
                _waitingBytes -= _waiting.First!.Value.Length;
                _waiting.RemoveFirst();
                dropped++;
            }

            Kept = Kept with { Dropped = Kept.Dropped + dropped };
            waiting = _waiting.Count;
        }

        if (dropped > 0)
        {
            BrokerLog.Dropped(Logger, dropped, waiting);
        }

        Signal();
    }

    private protected override async Task UseAsync(IConnection connection, Task lost)
    {
        IChannel channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), Stopping).WaitAsync(BrokerConnector.Patience, Stopping).ConfigureAwait(false);
        string exchange = BrokerConnector.ExchangeOf(Options.Site);
        await channel.ExchangeDeclareAsync(exchange, ExchangeType.Fanout, durable: true, cancellationToken: Stopping).WaitAsync(BrokerConnector.Patience, Stopping).ConfigureAwait(false);
        Well();
        bool unconfirmed = false;
        while (!lost.IsCompleted)
        {
            if (Oldest() is not { } message)
            {
                await Task.WhenAny(_signal.WaitAsync(Stopping), lost).ConfigureAwait(false);
                Stopping.ThrowIfCancellationRequested();
                continue;
            }

            SendResult result = SendResult.Confirmed;
            try
            {
                await channel.BasicPublishAsync(exchange, Options.Box, mandatory: true, new BasicProperties { DeliveryMode = DeliveryModes.Persistent, Type = "egress.delta.1" }, message, Stopping)
                    .AsTask().WaitAsync(unconfirmed ? ShortPatience : BrokerConnector.Patience, Stopping).ConfigureAwait(false);
            }
            catch (PublishException e) when (e.IsReturn)
            {
                result = SendResult.Returned;
            }
            catch (Exception e) when (BrokerConnector.IsFailure(e))
            {
                // No answer, or a no: a queue that does not answer either way.
                bool late = e is TimeoutException;
                bool second = ReferenceEquals(_refused, message);
                _refused = late || e is PublishException ? message : null;
                if (_refused is null || !(second || unconfirmed) || lost.IsCompleted || (late && !await BrokerConnector.AnswersAsync(connection, Stopping).ConfigureAwait(false)))
                {
                    lock (Gate)
                    {
                        Kept = Kept with { Repeated = Kept.Repeated + 1 };
                    }

                    throw;
                }

                // Twice now: one queue must not keep the ticks from the others. These have it: it was written to a broker that answers.
                result = SendResult.Unconfirmed;
            }

            unconfirmed = result == SendResult.Unconfirmed;
            Sent(message, result);
        }
    }

    private byte[]? Oldest()
    {
        lock (Gate)
        {
            return _waiting.First?.Value;
        }
    }

    private void Sent(byte[] message, SendResult result)
    {
        bool tell;
        lock (Gate)
        {
            // It may have been given up meanwhile for want of room.
            if (ReferenceEquals(_waiting.First?.Value, message))
            {
                _waiting.RemoveFirst();
                _waitingBytes -= message.Length;
            }

            string? problem = result switch
            {
                SendResult.Returned => NoQueue,
                SendResult.Unconfirmed => NotConfirmed,
                _ => null,
            };
            tell = problem is not null && problem != Kept.Problem;
            bool confirmed = result == SendResult.Confirmed;
            Kept = Kept with
            {
                Messages = Kept.Messages + (confirmed ? 1 : 0),
                Bytes = Kept.Bytes + (confirmed ? message.Length : 0),
                Returned = Kept.Returned + (result == SendResult.Returned ? 1 : 0),
                Unconfirmed = Kept.Unconfirmed + (result == SendResult.Unconfirmed ? 1 : 0),
                Problem = problem,
            };
        }

        if (tell && result == SendResult.Returned)
        {
            BrokerLog.Returned(Logger);
        }
        else if (tell)
        {
            BrokerLog.Unconfirmed(Logger);
        }
    }

    private void Signal()
    {
        try
        {
            _signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // The loop has not seen the one before yet.
        }
    }

    private enum SendResult
    {
        Confirmed,
        Returned,
        Unconfirmed,
    }
}
