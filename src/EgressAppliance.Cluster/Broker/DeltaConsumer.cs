using EgressAppliance.Cluster.Deltas;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace EgressAppliance.Cluster.Broker;

/// <summary>
/// A controller's ear. Each controller has a quorum queue of its own at the brokers, so that a standby hears all that the leader hears, and what came while a controller restarted waits for it.
/// </summary>
/// <remarks>
/// The queue is bounded three ways, none of which costs anything that a controller could still use: messages live for <see cref="BrokerOptions.MessageLifetime"/>, since rates older than
/// that decide nothing; beyond a gigabyte the oldest goes; and a queue that nobody has read for a day, as of a controller that was taken away, goes as a whole.
/// A message is acknowledged when it was taken or found unreadable: it is never delivered for ever.
/// </remarks>
public sealed class DeltaConsumer : BrokerLoop
{
    private const ushort Prefetch = 32;
    private const long QueueBytes = 1L << 30;
    private static readonly TimeSpan QueueLifetime = TimeSpan.FromDays(1);
    private readonly Action<TrafficDelta> _received;

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
        IChannel channel = await connection.CreateChannelAsync(cancellationToken: Stopping).WaitAsync(BrokerConnector.Patience, Stopping).ConfigureAwait(false);
        string exchange = BrokerConnector.ExchangeOf(Options.Site);
        string queue = BrokerConnector.QueueOf(Options.Site, Options.Box);
        Dictionary<string, object?> arguments = new()
        {
            ["x-queue-type"] = "quorum",
            ["x-message-ttl"] = (long)Options.MessageLifetime.TotalMilliseconds,
            ["x-max-length-bytes"] = QueueBytes,
            ["x-overflow"] = "drop-head",
            ["x-expires"] = (long)QueueLifetime.TotalMilliseconds,
        };
        await channel.ExchangeDeclareAsync(exchange, ExchangeType.Fanout, durable: true, cancellationToken: Stopping).WaitAsync(BrokerConnector.Patience, Stopping).ConfigureAwait(false);
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: Stopping).WaitAsync(2 * BrokerConnector.Patience, Stopping).ConfigureAwait(false);
        await channel.QueueBindAsync(queue, exchange, "", cancellationToken: Stopping).WaitAsync(BrokerConnector.Patience, Stopping).ConfigureAwait(false);
        await channel.BasicQosAsync(0, Prefetch, global: false, Stopping).WaitAsync(BrokerConnector.Patience, Stopping).ConfigureAwait(false);
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
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
        Well();
        await Task.WhenAny(lost, ended.Task, Task.Delay(Timeout.Infinite, Stopping)).ConfigureAwait(false);
        Stopping.ThrowIfCancellationRequested();
    }

    private void Take(byte[] body, bool redelivered)
    {
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
