using EgressAppliance.Bgp.Session;

namespace EgressAppliance.Tests.Bgp.Session;

/// <summary>The queue to one peer: its bound, its mark, and the one producer that may send by itself.</summary>
public sealed class OutboundQueueTests : IDisposable
{
    private readonly OutboundQueue _queue = new(limit: 100, lowWaterMark: 30);

    public void Dispose() => _queue.Dispose();

    [Fact]
    public async Task TryAppend_counts_what_was_taken_and_is_not_sent_yet()
    {
        Assert.True(_queue.TryAppend(new byte[60]));
        Assert.Equal(60, (await _queue.TakeAsync(default)).Length);
        Assert.Equal(60, _queue.Pending);

        Assert.False(_queue.TryAppend(new byte[41]));
        Assert.True(_queue.TryAppend(new byte[40]));
        _queue.Sent(60);
        Assert.Equal(40, _queue.Pending);
        Assert.True(_queue.TryAppend(new byte[60]));
    }

    [Fact]
    public async Task Sent_tells_once_when_the_low_mark_is_reached()
    {
        Assert.False(_queue.WatchDrain());
        _queue.TryAppend(new byte[80]);
        Assert.True(_queue.WatchDrain());
        await _queue.TakeAsync(default);

        Assert.False(_queue.Sent(49));
        Assert.True(_queue.Sent(1));
        Assert.False(_queue.Sent(1));
    }

    [Fact]
    public async Task Release_puts_the_rest_before_what_was_appended_meanwhile()
    {
        Assert.True(_queue.TryHold());
        Assert.False(_queue.TryHold());
        _queue.TryAppend(new byte[] { 3, 4 });
        ValueTask<ReadOnlyMemory<byte>> taking = _queue.TakeAsync(default);
        Assert.False(taking.IsCompleted);

        _queue.Release([2]);

        Assert.Equal(new byte[] { 2, 3, 4 }, (await taking).ToArray());
    }

    [Fact]
    public void TryHold_does_not_overtake()
    {
        _queue.TryAppend(new byte[1]);

        Assert.False(_queue.TryHold());
    }

    [Fact]
    public async Task HoldsMarked_until_TCP_has_the_last_marked_octet()
    {
        _queue.TryAppend(new byte[10]);
        Assert.False(_queue.HoldsMarked);
        _queue.TryAppend(new byte[10], mark: true);
        await _queue.TakeAsync(default);
        _queue.TryAppend(new byte[10]);

        _queue.Sent(15);
        Assert.True(_queue.HoldsMarked);
        _queue.Sent(5);
        Assert.False(_queue.HoldsMarked);

        await _queue.TakeAsync(default);
        _queue.TryAppend(new byte[10], mark: true);
        _queue.Sent(10);
        Assert.True(_queue.HoldsMarked);
    }

    [Fact]
    public void Release_marks_the_rest()
    {
        _queue.TryHold();
        _queue.TryAppend(new byte[2]);
        _queue.Release([1]);

        Assert.True(_queue.HoldsMarked);
    }

    [Fact]
    public async Task Complete_lets_the_rest_out_and_nothing_in()
    {
        _queue.TryAppend(new byte[1]);
        _queue.Complete();

        Assert.False(_queue.TryAppend(new byte[1]));
        Assert.False(_queue.TryHold());
        Assert.Equal(1, (await _queue.TakeAsync(default)).Length);
        Assert.True((await _queue.TakeAsync(default)).IsEmpty);
        _queue.Dispose();
        _queue.Release([]);
    }
}
