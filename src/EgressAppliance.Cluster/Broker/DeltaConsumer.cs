using EgressAppliance.Cluster.Deltas;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace EgressAppliance.Cluster.Broker;

/// <summary>
/// A controller's ear. Each controller has a quorum queue of its own at the brokers, so that a standby hears all that the leader hears, and what came while a controller restarted waits for it.
/// </summary>
/// <remarks>
/// The queue is bounded three ways, none of which costs anything that a controller could still use: messages live for <see cref="BrokerOptions.MessageLifetime"/>, since rates older than
/// that decide nothing; beyond a gigabyte the oldest goes; and a queue that nobody has read for a day, as of a controller that was taken away, goes as a whole.
/// A queue that has no leader any more, as RabbitMQ 3.10 leaves one that was made seconds before its node was killed, would take nothing for ever; it is found, and made anew: what it held
/// is of seconds ago.
///
/// A message is acknowledged when it was taken or found unreadable: it is never delivered for ever.
/// </remarks>
public sealed class DeltaConsumer : BrokerLoop
{
    private const ushort Prefetch = 32;
    private const long QueueBytes = 1L << 30;
    private static readonly TimeSpan QueueLifetime = TimeSpan.FromDays(1);

    /// <summary>A broker waits for a queue's leader for some seconds before it takes the queue away without it.</summary>
    private static readonly TimeSpan DeletePatience = TimeSpan.FromSeconds(15);

    /// <summary>After this time without a tick it is found out whether the queue still works.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);
    private readonly Action<TrafficDelta> _received;

    /// <summary>The queue did not answer on the connection before.</summary>
    private bool _stuck;
    private int _heard;

    /// <summary>A consumer that is ready to start.</summary>
    /// <param name="options">The brokers.</param>
    /// <param name="received">Takes each delta of the site, one at a time.</param>
    /// <param name="time">The clock of pauses.</param>
    /// <param name="logger">Where to log.</param>
    public DeltaConsumer(BrokerOptions options, Action<TrafficDelta> received, TimeProvider time, ILogger<DeltaConsumer> logger)
        : base(options, time, logger)
    {
        ArgumentNullException.ThrowIfNull(received);
        _received = received;
    }

    /// <summary>How it is doing. Any thread.</summary>
    public BrokerStatus Status
    {
        get
        {
            lock (Gate)
            {
                return Kept;
            }
        }
    }

    private protected override async Task UseAsync(IConnection connection, Task lost)
    {
        string queue = BrokerConnector.QueueOf(Options.Site, Options.Box);
        Task over = lost;
        try
        {
            do
            {
                IChannel channel = await connection.CreateChannelAsync(cancellationToken: Stopping).WaitAsync(BrokerConnector.Patience, Stopping).ConfigureAwait(false);
                TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
                over = Task.WhenAny(lost, ended.Task);
                await SubscribeAsync(channel, queue, ended).ConfigureAwait(false);
                Well();
                if (await IsSilentAsync(over).ConfigureAwait(false))
                {
                    // A queue that lost its leader does not tell its reader, and its length can still be asked for. Only one who wants to read anew finds it out.
                    await channel.CloseAsync(Stopping).WaitAsync(BrokerConnector.Patience, Stopping).ConfigureAwait(false);
                    over = lost;
                }
            }
            while (!over.IsCompleted);
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.InternalError)
        {
            // What a broker says that finds no process behind the queue.
            _stuck = true;
            throw NoAnswer(queue);
        }
        catch (Exception e) when (!over.IsCompleted && !Stopping.IsCancellationRequested && e is TimeoutException or OperationCanceledException)
        {
            // Not the broker, which answers, or heartbeats would have ended the connection.
            _stuck = await BrokerConnector.AnswersAsync(connection, Stopping).ConfigureAwait(false);
            if (_stuck)
            {
                throw NoAnswer(queue);
            }

            throw;
        }
    }

    private static IOException NoAnswer(string queue) => new($"the queue {queue} does not answer, though the broker does: it is made anew");

    /// <summary>Waits until nothing was heard for a while (true), or the subscription is over (false).</summary>
    private async Task<bool> IsSilentAsync(Task over)
    {
        for (int heard = -1; heard != Volatile.Read(ref _heard);)
        {
            heard = Volatile.Read(ref _heard);
            await Task.WhenAny(over, Task.Delay(Silence, Stopping)).ConfigureAwait(false);
            Stopping.ThrowIfCancellationRequested();
            if (over.IsCompleted)
            {
                return false;
            }
        }

        return true;
    }

    private async Task SubscribeAsync(IChannel channel, string queue, TaskCompletionSource ended)
    {
        string exchange = BrokerConnector.ExchangeOf(Options.Site);
        await channel.ExchangeDeclareAsync(exchange, ExchangeType.Fanout, durable: true, cancellationToken: Stopping).WaitAsync(BrokerConnector.Patience, Stopping).ConfigureAwait(false);
        if (_stuck)
        {
            BrokerLog.QueueAnew(Logger, queue);
            await channel.QueueDeleteAsync(queue, ifUnused: false, ifEmpty: false, cancellationToken: Stopping).WaitAsync(DeletePatience, Stopping).ConfigureAwait(false);
            _stuck = false;
        }

        Dictionary<string, object?> arguments = new()
        {
            ["x-queue-type"] = "quorum",
            ["x-message-ttl"] = (long)Options.MessageLifetime.TotalMilliseconds,
            ["x-max-length-bytes"] = QueueBytes,
            ["x-overflow"] = "drop-head",
            ["x-expires"] = (long)QueueLifetime.TotalMilliseconds,
        };
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: Stopping).WaitAsync(2 * BrokerConnector.Patience, Stopping).ConfigureAwait(false);
        await channel.QueueBindAsync(queue, exchange, "", cancellationToken: Stopping).WaitAsync(BrokerConnector.Patience, Stopping).ConfigureAwait(false);
        await channel.BasicQosAsync(0, Prefetch, global: false, Stopping).WaitAsync(BrokerConnector.Patience, Stopping).ConfigureAwait(false);
        channel.ChannelShutdownAsync += (_, _) =>
        {
            ended.TrySetResult();
            return Task.CompletedTask;
        };
        AsyncEventingBasicConsumer consumer = new(channel);
        consumer.UnregisteredAsync += (_, _) =>
        {
            ended.TrySetResult();
            return Task.CompletedTask;
        };
        consumer.ReceivedAsync += async (_, message) =>
        {
            Take(message.Body.ToArray(), message.Redelivered);
            await channel.BasicAckAsync(message.DeliveryTag, multiple: false, Stopping).ConfigureAwait(false);
        };
        await channel.BasicConsumeAsync(queue, autoAck: false, consumer, Stopping).WaitAsync(BrokerConnector.Patience, Stopping).ConfigureAwait(false);
    }

    private void Take(byte[] body, bool redelivered)
    {
        Interlocked.Increment(ref _heard);
        string? unreadable = null;
        if (!DeltaCodec.TryDecode(body, out TrafficDelta? delta, out DeltaFault fault))
        {
            unreadable = fault.ToString();
        }
        else if (delta!.Site != Options.Site)
        {
            unreadable = "OtherSite";
        }
        else
        {
            _received(delta);
        }

        lock (Gate)
        {
            Kept = Kept with { Messages = Kept.Messages + 1, Bytes = Kept.Bytes + body.Length, Repeated = Kept.Repeated + (redelivered ? 1 : 0) };
            if (unreadable is not null)
            {
                Kept = Kept with { Unreadable = new Dictionary<string, long>(Kept.Unreadable) { [unreadable] = Kept.Unreadable.GetValueOrDefault(unreadable) + 1 } };
            }
        }

        if (unreadable is not null)
        {
            BrokerLog.Unreadable(Logger, unreadable);
        }
    }
}
